"""What a shared library of a whole project is linked from."""

load("@rules_cc//cc:defs.bzl", "CcInfo")

def _all_objects_impl(ctx):
    objects = []
    for dep in ctx.attr.deps:
        for input in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in input.libraries:
                for file in library.pic_objects or library.objects:
                    if file not in objects:
                        objects.append(file)
    return [DefaultInfo(files = depset(objects))]

all_objects = rule(
    implementation = _all_objects_impl,
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
    doc = """Every object file of libraries and of all that they depend on, position-independent.

As deps of a shared library the linker would take of them only what is used, and of an interface nothing is used in it.""",
)
