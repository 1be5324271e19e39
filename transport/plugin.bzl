"""Makes a shared library of a C++ backend, for who has it loaded at run time (plugin.h).

    load("@weir//transport:plugin.bzl", "transport_plugin")

    transport_plugin(
        name = "libtheirs.so",
        srcs = ["plugin.cc"],        # defines weir::plugin::exported_backend(), see plugin_exporter.h
        deps = [":theirs"],
    )
"""

load("@rules_cc//cc:defs.bzl", "cc_binary")

def transport_plugin(name, srcs, deps, **kwargs):
    """A library that shows nothing but weir_plugin_entry.

    Args:
      name: of the file.
      srcs: what defines weir::plugin::exported_backend().
      deps: the backend.
      **kwargs: further attributes of the library.
    """
    exports = Label("//transport:plugin.lds")
    cc_binary(
        name = name,
        srcs = srcs,
        additional_linker_inputs = [exports],
        linkopts = [
            "-Wl,--version-script=$(location %s)" % exports,
            "-Wl,-Bsymbolic",
        ],
        linkshared = True,
        deps = deps + [Label("//transport:plugin_exporter")],
        **kwargs
    )
