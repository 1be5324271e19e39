"""The list of what an installation lays down, which install.sh reads."""

load("@rules_cc//cc:defs.bzl", "CcInfo")

def _archive_of(target):
    for input in target[CcInfo].linking_context.linker_inputs.to_list():
        if input.owner == target.label:
            return input.libraries[0].pic_static_library or input.libraries[0].static_library
    fail("%s has no archive" % target.label)

def _manifest_impl(ctx):
    laid = [
        ("644", header, "include/weir/" + header.short_path)
        for target in ctx.attr.interfaces
        for header in target[CcInfo].compilation_context.direct_public_headers
    ]
    laid += [("644", target.files.to_list()[0], to) for target, to in ctx.attr.data.items()]
    laid += [("755", target.files.to_list()[0], to) for target, to in ctx.attr.programs.items()]
    laid += [("644", _archive_of(target), to) for target, to in ctx.attr.archives.items()]
    laid.append(("755", ctx.file.library, "lib/libweir.so.@VERSION@"))
    lines = ["%s %s %s" % (mode, file.short_path, to) for mode, file, to in laid] + [
        "link libweir.so.@VERSION@ lib/libweir.so.@MAJOR@",
        "link libweir.so.@MAJOR@ lib/libweir.so",
    ]
    template = ctx.actions.declare_file(ctx.label.name + ".in")
    ctx.actions.write(template, "\n".join(lines) + "\n")
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.run_shell(
        outputs = [out],
        inputs = [template, ctx.file.version],
        tools = [ctx.executable._with_version],
        command = '"$1" "$2" "$3" > "$4"',
        arguments = [ctx.executable._with_version.path, ctx.file.version.path, template.path, out.path],
    )
    return [DefaultInfo(
        files = depset([out]),
        runfiles = ctx.runfiles(files = [out] + [file for _, file, _ in laid]),
    )]

manifest = rule(
    implementation = _manifest_impl,
    attrs = {
        "archives": attr.label_keyed_string_dict(doc = "Libraries, of which the archive of their own is laid down."),
        "data": attr.label_keyed_string_dict(allow_files = True),
        "interfaces": attr.label_list(providers = [CcInfo], doc = "Libraries, of which all headers (hdrs) are laid down."),
        "library": attr.label(allow_single_file = True),
        "programs": attr.label_keyed_string_dict(allow_files = True),
        "version": attr.label(allow_single_file = True),
        "_with_version": attr.label(
            default = ":with_version.sh",
            allow_single_file = True,
            executable = True,
            cfg = "exec",
        ),
    },
    doc = "A line for each file, `mode from to`, and for each link, `link target name`. `from` is among the runfiles.",
)
