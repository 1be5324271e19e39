"""Which function runs a command: the one that is registered for the longest beginning of its words.

    @does("weir list", "weir info")
    def look(command, scene): ...

Options before a label of Bazel's (`run -c opt //label`) are no part of that. The words of variables that are set are
"settings" and the last one's name, that of an option "option".
"""

RULES = {}


def does(*beginnings):
    def register(function):
        for beginning in beginnings:
            words = tuple(beginning.split())
            if words in RULES:
                raise SystemExit(f"two rules for {beginning}")
            RULES[words] = function
        return function

    return register


def beginning_of(command):
    words = command.words or ["settings", command.text.split()[-1].split("=")[0]]
    if words[0].startswith("--"):
        return ["option"]
    if "bazelw" in words[0] and len(words) > 1:
        end = words.index("--") if "--" in words else len(words)
        words = words[:2] + [word for word in words[2:end] if word.startswith(("//", "@"))] + words[end:]
    return words


def rule_for(command):
    words = beginning_of(command)
    for length in range(len(words), 0, -1):
        if found := RULES.get(tuple(words[:length])):
            return found
    return None
