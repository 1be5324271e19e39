"""Judges a backend by the conformance suite.

    load("//conformance:conformance.bzl", "transport_conformance_test")    # or "@weir//conformance:…"

    transport_conformance_test(
        name = "shm",
        srcs = ["shm.cc"],                     # defines backend_under_test(), see conformance.h
        backend_deps = ["//transport/shm"],    # the library that registers the backend
    )

makes `shm_ordering`, `shm_crash`, … one test for each family of requirements, which run side by side, and the test
suite `shm` of them all. Verdicts are in verdicts.jsonl among the undeclared outputs of each test. `shm_judge` is the
runner of docs/conformance.md for this backend: each test in a process of its own, with a report.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

# The families of REQUIREMENTS.md: the folders in which their tests are.
FAMILIES = [
    "cleanup",
    "crash",
    "data",
    "kill_points",
    "late_joiner",
    "limits",
    "membership",
    "misuse",
    "opening",
    "ordering",
    "persistence",
    "random",
    "slow_subscriber",
    "types",
    "waiting",
]

def transport_conformance_test(name, srcs, backend_deps, families = FAMILIES, shards = {}, in_full = {}, data = [], tags = [], env = {}, **kwargs):
    """Makes the tests of all families for one backend.

    Args:
      name: of the test suite, and the beginning of each test's name.
      srcs: the file that defines weir::conformance::backend_under_test().
      backend_deps: the libraries that it needs, among them the one that registers the backend.
      families: those to be judged; all if left out.
      shards: by family, the processes that its tests are spread over, where what one brings about may outlast it.
      in_full: by family, the environment of a further test of it, NAME_FAMILY_in_full_test, which is tagged so and manual:
        for families of which `env` asks for a sample.
      data: files that the backend needs when it runs.
      tags: of every test.
      env: of every test but those in full.
      **kwargs: further attributes of every test, such as flaky = False.
    """
    cc_library(
        name = name + "_backend",
        testonly = True,
        srcs = srcs,
        tags = tags,
        deps = backend_deps + [Label("//conformance")],
        alwayslink = True,
    )
    all = [(family, "_" + family, env, []) for family in families]
    all += [(family, "_%s_in_full_test" % family, whole, ["in_full", "manual"]) for family, whole in in_full.items()]
    for family, suffix, environment, further_tags in all:
        cc_test(
            name = name + suffix,
            size = "medium",
            data = data,
            env = environment,
            shard_count = shards.get(family),
            tags = tags + further_tags,
            deps = [
                name + "_backend",
                Label("//conformance/" + family),
                Label("//conformance/harness:main"),
            ],
            **kwargs
        )
    cc_binary(
        name = name + "_judge",
        testonly = True,
        data = data,
        tags = [tag for tag in tags if tag != "manual"] + ["manual"],
        visibility = ["//visibility:public"],
        deps = [
            name + "_backend",
            Label("//conformance/judge:linked_backend"),
        ] + [Label("//conformance/" + family) for family in FAMILIES],
    )
    native.test_suite(
        name = name,
        tags = [tag for tag in tags if tag == "manual"],
        tests = [name + "_" + family for family in families],
    )
