"""Bazel's own rules, taken from Debian packages instead of the network.

Bazel 4.2.3 asks for `rules_cc`, `rules_java`, `rules_proto`, `platforms` and
`remote_coverage_tools` by itself and would download each one that a WORKSPACE
does not define. Libraries are not here: see third_party/BUILD.
"""

# The rules_cc 0.0.4 of Debian 12 load a symbol that the Bazel 4.2.3 of Debian 12
# does not have. This list is what the symbol returns in a Bazel that has it.
_MISSING_SYMBOL = "use_cpp_toolchain"
_MISSING_SYMBOL_VALUE = "[\"@bazel_tools//tools/cpp:toolchain_type\"]"
_FILES_TO_MEND = [
    "cc/private/rules_impl/cc_flags_supplier.bzl",
    "cc/private/rules_impl/compiler_flag.bzl",
]

def _debian_rules_cc_impl(ctx):
    source = ctx.path(ctx.attr.path)
    if not source.exists:
        fail("%s is missing: run ./bazelw, or install the package bazel-rules-cc" % source)
    result = ctx.execute(["cp", "-RL", "%s/." % source, "."])
    if result.return_code != 0:
        fail("cannot copy %s: %s" % (source, result.stderr))
    ctx.delete("WORKSPACE")
    ctx.file("WORKSPACE", "workspace(name = \"rules_cc\")\n")
    for name in _FILES_TO_MEND:
        text = ctx.read(name)
        text = text.replace(", \"%s\")" % _MISSING_SYMBOL, ")")
        text = text.replace("%s()" % _MISSING_SYMBOL, _MISSING_SYMBOL_VALUE)
        ctx.delete(name)
        ctx.file(name, text, executable = False)

_debian_rules_cc = repository_rule(
    implementation = _debian_rules_cc_impl,
    attrs = {"path": attr.string(mandatory = True)},
    doc = "A copy of Debian's rules_cc that Debian's Bazel can load.",
    local = True,
)

def _coverage_stub_impl(ctx):
    ctx.file("BUILD", """\
filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
""")

_coverage_stub = repository_rule(
    implementation = _coverage_stub_impl,
    doc = "Every cc_test depends on this label, although only `bazel coverage` uses it.",
)

def debian_repositories():
    _debian_rules_cc(name = "rules_cc", path = "/usr/share/bazel/rules/cc")
    native.local_repository(name = "rules_java", path = "/usr/share/bazel/rules/java")
    native.local_repository(name = "rules_proto", path = "/usr/share/bazel/rules/proto")
    native.local_repository(name = "platforms", path = "/usr/share/bazel/platforms")
    native.local_repository(name = "bazel_skylib", path = "/usr/share/bazel/tools/skylib")
    _coverage_stub(name = "remote_coverage_tools")
