"""How to compile against iceoryx, and its installed examples as native programs."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

# Debian keeps iceoryx's headers in a folder of their version. Inlined into ours, their queues confuse these warnings.
ICEORYX_COPTS = [
    "-isystem/usr/include/iceoryx/v2.0.3",
    "-Wno-array-bounds",
    "-Wno-maybe-uninitialized",
    "-Wno-stringop-overflow",
]

_EXAMPLES = "/usr/share/doc/libiceoryx-posh-dev/examples/"

def native_example(name, folder, srcs, language = "c++"):
    """One of the examples that libiceoryx-posh-dev installs, compiled as it is.

    Args:
      name: of the program.
      folder: of the example.
      srcs: its files, the first of which has main().
      language: "c" or "c++".
    """
    for src in srcs:
        native.genrule(
            name = name + "_" + src.replace(".", "_"),
            testonly = True,
            outs = [name + "_files/" + src],
            cmd = "cp %s%s/%s $@" % (_EXAMPLES, folder, src),
            message = "Taking an example of libiceoryx-posh-dev:",
        )
    cc_binary(
        name = name,
        testonly = True,
        srcs = [name + "_files/" + src for src in srcs],
        # Not our code: no warnings of it.
        copts = ICEORYX_COPTS + ["-w"],
        deps = ["//third_party:iceoryx_binding_c" if language == "c" else "//third_party:iceoryx_posh"],
    )
