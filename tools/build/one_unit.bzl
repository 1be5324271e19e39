"""Libraries whose sources are compiled together: much of what compiling a source takes its neighbours take too.

`one_unit_library` is a cc_library whose sources are included, one after the other, in one file that is compiled. It takes
two thirds of the time, of tests half or less, and the sources stay as they are: each includes what it needs, and names
in an anonymous namespace are told apart within the library. `--config=separate_units` compiles each by itself; so do clang-tidy and editors
(tools/lint/compile_commands.py).

`one_unit_tests` are tests whose sources are compiled so: each source is a test of its own, and runs by itself.
"""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")

def _one_unit_impl(ctx):
    text = ""
    for source in ctx.files.srcs:
        if source.extension == "cc" and source.basename not in ctx.attr.left_out:
            path = source.short_path

            # Of another repository: the path from that one's root.
            text += '#include "%s"\n' % ("/".join(path.split("/")[2:]) if path.startswith("../") else path)
    ctx.actions.write(ctx.outputs.unit, text)

_one_unit = rule(
    implementation = _one_unit_impl,
    attrs = {
        "left_out": attr.string_list(),
        "srcs": attr.label_list(allow_files = True, mandatory = True),
        "unit": attr.output(mandatory = True),
    },
)

def one_unit_library(name, srcs, copts = [], left_out = [], **kwargs):
    """A cc_library whose sources are compiled as one.

    Args:
      name: of the library; the file that is compiled is NAME_unit.cc, or NAME_unit_test.cc where the sources are tests.
      srcs: sources and private headers, or a filegroup of them.
      copts: as those of cc_library.
      left_out: names of sources in a filegroup that another library compiles.
      **kwargs: further attributes of cc_library.
    """
    sources = [source for source in srcs if not source.endswith(".h")]
    if len(sources) == 1 and sources[0].endswith(".cc"):
        cc_library(name = name, srcs = srcs, copts = copts, **kwargs)
        return
    unit = name + ("_unit_test.cc" if srcs[0].endswith("_test.cc") else "_unit.cc")
    _one_unit(
        name = name + "_unit",
        srcs = srcs,
        left_out = left_out,
        tags = kwargs.get("tags"),
        testonly = kwargs.get("testonly"),
        unit = unit,
        visibility = ["//visibility:private"],
    )
    separate = str(Label("//tools/build:separate_units"))
    headers = [source for source in srcs if source.endswith(".h")]
    cc_library(
        name = name,
        srcs = select({
            separate: srcs,
            "//conditions:default": [unit] + headers,
        }),
        # A type of a source may have a member of that source's anonymous namespace.
        copts = copts + ["-Wno-subobject-linkage"],
        textual_hdrs = select({
            separate: [],
            "//conditions:default": sources,
        }),
        **kwargs
    )

def one_unit_tests(name, srcs, deps, size = "small", sizes = {}, data = [], tags = []):
    """A cc_test for each source, of its name; they are compiled as one and linked into each.

    Args:
      name: of the library of them all.
      srcs: the tests, and headers of their own.
      deps: what they need, without a main().
      size: as that of cc_test.
      sizes: by name, those of tests that have another.
      data: as that of cc_test.
      tags: as those of cc_test.
    """
    one_unit_library(
        name = name,
        testonly = True,
        srcs = srcs,
        tags = tags,
        visibility = ["//visibility:private"],
        deps = deps,
        alwayslink = True,
    )
    for source in srcs:
        if source.endswith(".cc"):
            cc_test(
                name = source[:-len(".cc")],
                size = sizes.get(source[:-len(".cc")], size),
                args = ["--of_file=%s/%s" % (native.package_name(), source)],
                data = data,
                tags = tags,
                deps = [name, str(Label("//tools/build:tests_of_file"))],
            )
