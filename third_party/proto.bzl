"""Protobuf messages in C++, made by Debian's protoc: nothing is downloaded."""

load("@rules_cc//cc:defs.bzl", "cc_library")

def cc_proto(name, src, deps = [], **arguments):
    """One .proto file as a cc_library; include it as "<package>/<name of the file>.pb.h".

    Args:
      name: of the library.
      src: the .proto file, of this package.
      deps: cc_proto targets of files that it imports. (They must be named `<file>_proto`, in this package.)
      **arguments: of the cc_library: visibility, testonly.
    """
    if not src.endswith(".proto"):
        fail("cc_proto(%s): %s is not a .proto file" % (name, src))
    stem = src[:-len(".proto")]
    testonly = arguments.get("testonly", False)
    native.genrule(
        name = name + "_files",
        testonly = testonly,
        srcs = [src] + [dep + "_source" for dep in deps],
        outs = [stem + ".pb.h", stem + ".pb.cc"],
        # What protoc writes is not our code: no warnings of it, also where it is included.
        cmd = "protoc -I. --cpp_out=$(GENDIR) $(location %s) && sed -i '1i #pragma GCC system_header' $(GENDIR)/$$(dirname $(location %s))/$$(basename %s).pb.h" % (src, src, stem),
        message = "Translating Protobuf messages:",
    )
    native.filegroup(name = name + "_source", testonly = testonly, srcs = [src])
    cc_library(
        name = name,
        srcs = [stem + ".pb.cc"],
        hdrs = [stem + ".pb.h"],
        copts = ["-w"],
        deps = deps + [Label("//third_party:protobuf")],  # of weir, also where another workspace calls this
        **arguments
    )
