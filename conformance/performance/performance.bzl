"""What targets of the measurements have in common."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//tools/build:one_unit.bzl", "one_unit_library")

# Drivers are many templates, which a build that does not measure compiles in half the time.
DRIVER_COPTS = select({
    "//third_party:optimised": [],
    "//conditions:default": ["-Og", "-Wno-maybe-uninitialized"],
})

# Compiling all peers, and callgrind, take longer than most tests: docs/contributing.md says who runs these.
IN_FULL = ["in_full", "manual"]

def module(name, deps, hdrs = [], srcs = [], **kwargs):
    """A library of NAME.cc and NAME.h, and of more files if there are any."""
    one_unit_library(
        name = name,
        srcs = [name + ".cc"] + srcs,
        hdrs = [name + ".h"] + hdrs,
        deps = deps,
        **kwargs
    )

def headers(name, files, deps = []):
    """A library without a source."""
    cc_library(
        name = name,
        hdrs = files,
        deps = deps,
    )

def peer(name, deps = [], files = None, copts = [], **kwargs):
    """A driver, or several: peers/NAME.cc or `files` of peers/, which join the list of peers by being linked."""
    cc_library(
        name = name,
        srcs = ["peers/" + file for file in files or [name + ".cc"]],
        copts = copts + DRIVER_COPTS,
        deps = [":carriers", ":loads"] + deps,
        alwayslink = True,
        **kwargs
    )

def starter(name, deps = [], files = [], copts = [], **kwargs):
    """The program start_NAME of starters/NAME.cc, with one peer alone."""
    cc_binary(
        name = "start_" + name,
        srcs = ["starters/%s.cc" % name, "starters/starter.h"] + files,
        copts = copts + DRIVER_COPTS,
        deps = [":carriers", ":loads"] + deps,
        **kwargs
    )

def left_out_without(library, peers, starters = []):
    """Makes peers_of_LIBRARY and starters_of_LIBRARY, empty with --define=performance_without_LIBRARY=1."""
    native.config_setting(
        name = "without_" + library,
        define_values = {"performance_without_" + library: "1"},
    )
    cc_library(
        name = "peers_of_" + library,
        deps = select({
            ":without_" + library: [],
            "//conditions:default": peers,
        }),
    )
    native.filegroup(
        name = "starters_of_" + library,
        srcs = select({
            ":without_" + library: [],
            "//conditions:default": starters,
        }),
    )

def unit_test(name, deps, tags = []):
    """A test of NAME.cc, without a program beside it."""
    cc_test(
        name = name,
        size = "small",
        srcs = [name + ".cc"],
        tags = tags,
        deps = deps + ["//third_party:gtest_main"],
    )

def test_of_program(name, program, deps, tags = [], **kwargs):
    """A test of NAME.cc that runs a program, for users' builds: sanitizers take time and add instructions. It is in_full."""
    cc_test(
        name = name,
        size = "medium",
        srcs = [name + ".cc"],
        args = ["$(location %s)" % program],
        data = [program],
        tags = tags + IN_FULL + ["no_asan", "no_tsan"],
        deps = deps + ["//third_party:fmt", "//third_party:gtest"],
        **kwargs
    )
