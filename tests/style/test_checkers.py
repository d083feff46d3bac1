#!/usr/bin/env python3
"""Plants one fault of each class in a small tree and expects the checker to find it.

A checker that finds nothing in our tree proves nothing: each test begins with a tree that passes, and
changes one thing. Found means: exit status 1, and a line that names the file and what to do.
Prints TAP.
"""

import importlib.machinery
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(sys.argv[1]).resolve()

COMMENT = "/*\n * A file.\n *\n * It is small.\n */\n"
GOOD = {
    ".clang-format": (TOOLS.parent / ".clang-format").read_text(),
    "tools/layers.toml": '[layer.pes]\nmay = []\n[layer.base]\nmay = []\n[layer.broker]\n'
                         'may = ["base", "pes"]\n[layer.providers]\nmay = ["pes"]\n',
    "include/pes/enums.h": "/* Numbers. */\n#pragma once\n\nenum pes_error {\n"
                           "    PES_E_QUOTA = 7, /* too much */\n};\n",
    "include/pes/client.h": """/* Asking. */
#pragma once

#include <stdint.h>

#include <pes/enums.h>

#define PES_PUBLIC

#ifdef __cplusplus
extern "C" {
#endif

struct pes_ctx;

/**
 * pes_open() - make a context
 * @name: what to call it
 * @can:  flags
 *
 * Return: a context, or NULL.
 * Ownership: the caller's.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC struct pes_ctx *pes_open(const char *name, uint32_t can);

/**
 * pes_try() - try it
 * @ctx: context
 *
 * Return: 0, or a negative PES_E_*:
 *   PES_E_QUOTA  too much
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC int pes_try(struct pes_ctx *ctx);

/**
 * pes_close() - end a context
 * @ctx: context or NULL
 *
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC void pes_close(struct pes_ctx *ctx);

#ifdef __cplusplus
}
#endif
""",
    "src/base/list.h": "/* A list. */\n#pragma once\n\n#include <stddef.h>\n\nstruct list {\n"
                       "    struct list *next;\n    size_t n;\n};\n",
    "src/base/README.md": "# base\n\nSee [the broker](../broker/README.md#broker).\n",
    "src/broker/README.md": "# Broker\n\nSee [events](../../docs/events.md).\n",
    "src/broker/broker.c": COMMENT + '#include <pes/client.h>\n\n#include "base/list.h"\n\n'
                           "int broker_main(void);\n\nint broker_main(void)\n{\n    return 0;\n}\n",
    "src/providers/README.md": "# Providers\n",
    "src/log/events.inc": 'LOG_EVENT(EV_START, "start")\n',
    "src/log/README.md": "# Log\n",
    "src/log/start.c": COMMENT + "\nint log_start(void);\n\nint log_start(void)\n{\n    "
                       "return EV_START;\n}\n",
    "docs/events.md": "# Events\n\n| event | meaning |\n| --- | --- |\n| `start` | Started. |\n",
}
GOOD.update({
    "src/client/client_policy.c": COMMENT + '\nstatic const int keys[] = {\n    {"down", set_down},\n};\n',
    "src/cli/kinds.c": COMMENT + '\nconst struct command command_kinds = {\n    .name = "kinds",\n};\n',
    "src/cli/command.c": COMMENT + '\nstatic const int options[] = {\n    {"json", no_argument, NULL, 1},\n};\n',
    "src/cli/README.md": "# cli\n",
    "src/client/README.md": "# client\n",
    "docs/man/meson.build": "man_pages = [\n  'pes-client.conf.5',\n  'pes-kinds.1',\n  'pes.1',\n]\n",
    "docs/man/pes.1.scd": "pes(1)\n\n*kinds*\n\tsee *pes-kinds*(1)\n",
    "docs/man/pes-kinds.1.scd": "pes-kinds(1)\n\n*--json*\n\tAs JSON.\n",
    "docs/man/pes-client.conf.5.scd": "pes-client.conf(5)\n\n*down*\n\tWhen it is down.\n",
})
GOOD["tools/layers.toml"] += "[layer.cli]\nmay = []\n[layer.client]\nmay = []\n"
GOOD["tools/layers.toml"] += "[layer.log]\nmay = []\n"

sys.path.insert(0, str(TOOLS))
sys.dont_write_bytecode = True
THREATS = importlib.machinery.SourceFileLoader("check_threats", str(TOOLS / "check_threats")).load_module()
GOOD["docs/threats.toml"] = "".join(
    f'[{name}]\nattack = "a"\nmitigation = "m"\nstate = "held"\ntests = ["chaos/faults.py: R1: it holds"]\n'
    for name in THREATS.wanted_ids())
GOOD["docs/threat-model.md"] = THREATS.page_of(THREATS.tomllib.loads(GOOD["docs/threats.toml"]))
GOOD["tests/chaos/faults.py"] = '"""Faults."""\n\n\ndef r1():\n    """R1: it holds"""\n'


def replaced(name, old, new):
    assert old in GOOD[name], (name, old)
    return {name: GOOD[name].replace(old, new, 1)}


def code(includes="", body="    return 0;\n"):
    return (COMMENT + includes + "\nint broker_main(void);\n\nint broker_main(void)\n{\n" + body +
            "}\n")


def without(text, line):
    assert line in text, line
    return text.replace(line, "", 1)


CLIENT = GOOD["include/pes/client.h"]

# (checker, what is planted, changed files, parts of the message)
FAULTS = [
    ("man", "an option that the page does not have", replaced("src/cli/command.c", '"json"', '"xml"'),
     ["src/cli/command.c:8", "'--xml' is not in docs/man/pes-kinds.1.scd"]),
    ("man", "an option that the code does not have",
     replaced("docs/man/pes-kinds.1.scd", "*--json*\n", "*--json*, *--xml*\n"),
     ["docs/man/pes-kinds.1.scd:3", "src/cli/command.c knows no '--xml'"]),
    ("man", "a key that the page does not have", replaced("src/client/client_policy.c", '"down"', '"up"'),
     ["src/client/client_policy.c:8", "'up' is not in docs/man/pes-client.conf.5.scd"]),
    ("man", "a key that the code does not have",
     replaced("docs/man/pes-client.conf.5.scd", "*down*", "*down*, *up*"),
     ["docs/man/pes-client.conf.5.scd:3", "knows no 'up'"]),
    ("man", "a command without a page", replaced("src/cli/kinds.c", '"kinds"', '"sorts"'),
     ["src/cli/kinds.c:7", "write docs/man/pes-sorts.1.scd"]),
    ("man", "a command that the overview does not have", replaced("docs/man/pes.1.scd", "*kinds*", "*sorts*"),
     ["src/cli/kinds.c:7", "'kinds' is not in docs/man/pes.1.scd"]),
    ("man", "a page that is not built", {"docs/man/pes-new.1.scd": "pes-new(1)\n"},
     ["docs/man/pes-new.1.scd:1", "add it to man_pages"]),
    ("man", "a page that is built and not there",
     replaced("docs/man/meson.build", "  'pes.1',\n", "  'pes.1',\n  'pes-lost.1',\n"),
     ["docs/man/meson.build:1", "there is no docs/man/pes-lost.1.scd"]),
    ("man", "a reference to no page", replaced("docs/man/pes.1.scd", "*pes-kinds*(1)", "*pes-lost*(1)"),
     ["docs/man/pes.1.scd:4", "there is no page pes-lost(1)"]),
    ("layers", "a folder that is no layer", {"src/stray/stray.c": COMMENT},
     ["src/stray", "tools/layers.toml"]),
    ("layers", "an include that the table does not allow",
     {"src/base/list.h": '#pragma once\n#include "broker/broker.h"\n',
      "src/broker/broker.h": "#pragma once\n"}, ["src/base/list.h:2", "may not include 'broker'"]),
    ("layers", "a public header where it is not allowed",
     {"src/base/list.h": "#pragma once\n#include <pes/client.h>\n"},
     ["src/base/list.h:2", "tools/layers.toml"]),
    ("layers", "an include that is no path from src",
     {"src/broker/broker.c": code('#include "list.h"\n')}, ["src/broker/broker.c:6", "write"]),
    ("layers", "an include that goes up", {"src/broker/broker.c": code('#include "../base/list.h"\n')},
     ["src/broker/broker.c:6", "not a path from src"]),
    ("layers", "an include of nothing", {"src/broker/broker.c": code('#include "base/lost.h"\n')},
     ["src/broker/broker.c:6", "no src/base/lost.h"]),
    ("layers", "a public header in quotes", {"src/broker/broker.c": code('#include "pes/client.h"\n')},
     ["src/broker/broker.c:6", "<pes/client.h>"]),
    ("layers", "a circle in the table",
     replaced("tools/layers.toml", "[layer.base]\nmay = []", '[layer.base]\nmay = ["broker"]'),
     ["tools/layers.toml", "circle"]),
    ("layers", "a layer that does not exist",
     replaced("tools/layers.toml", '["base", "pes"]', '["base", "pes", "basement"]'),
     ["tools/layers.toml", "basement"]),
    ("layers", "headers that include each other",
     {"src/base/list.h": '#pragma once\n#include "base/heap.h"\n',
      "src/base/heap.h": '#pragma once\n#include "base/list.h"\n'}, ["include each other", "heap.h"]),
    ("layers", "an engine outside of the providers",
     {"src/broker/broker.c": code("#include <yara.h>\n")},
     ["src/broker/broker.c:6", "only src/providers"]),
    ("layers", "a provider that sees more than its contract",
     {"src/providers/x.c": COMMENT + "#include <pes/client.h>\n"},
     ["src/providers/x.c:6", "<pes/provider.h>"]),
    ("layers", "a public header that needs an internal one",
     {"include/pes/client.h": '#pragma once\n#include "base/list.h"\n'}, ["include/pes/client.h:2"]),
    ("layers", "a public header that needs another library",
     {"include/pes/client.h": "#pragma once\n#include <systemd/sd-bus.h>\n"},
     ["include/pes/client.h:2", "another library"]),
    ("headers", "a header that can be included twice",
     replaced("src/base/list.h", "#pragma once\n", ""), ["src/base/list.h", "#pragma once"]),
    ("headers", "an internal header that does not compile alone",
     replaced("src/base/list.h", "#include <stddef.h>\n", ""),
     ["src/base/list.h", "include what it needs"]),
    ("headers", "a public header that is not C++",
     {"include/pes/client.h": CLIENT.replace("struct pes_ctx;", "int *pes_class(int *class);"
                                             "\nstruct pes_ctx;")},
     ["include/pes/client.h", "C++17"]),
    ("headers", "a public header that is not plain C",
     {"include/pes/enums.h": GOOD["include/pes/enums.h"] + "struct pes_empty {\n};\n"},
     ["include/pes/enums.h", "C17"]),
    ("headers", "a function without comment",
     {"include/pes/client.h": CLIENT.replace("struct pes_ctx;",
                                             "struct pes_ctx;\n\nPES_PUBLIC int pes_new(void);")},
     ["pes_new()", "not documented"]),
    ("headers", "a function that is not marked public",
     replaced("include/pes/client.h", "PES_PUBLIC int pes_try", "int pes_try"),
     ["pes_try()", "PES_PUBLIC"]),
    ("headers", "a comment under another name",
     replaced("include/pes/client.h", " * pes_try() -", " * pes_tried() -"), ["pes_try()", "begin"]),
    ("headers", "a parameter that is not documented",
     replaced("include/pes/client.h", " * @can:  flags\n", ""), ["pes_open()", "name, can"]),
    ("headers", "parameters in another order",
     replaced("include/pes/client.h", " * @name: what to call it\n * @can:  flags\n",
              " * @can:  flags\n * @name: what to call it\n"), ["pes_open()", "in order"]),
    ("headers", "no Return", replaced("include/pes/client.h", " * Return: a context, or NULL.\n", ""),
     ["pes_open()", "Return"]),
    ("headers", "Return of nothing",
     replaced("include/pes/client.h", " * @ctx: context or NULL\n *\n",
              " * @ctx: context or NULL\n *\n * Return: nothing.\n"), ["pes_close()", "remove it"]),
    ("headers", "no Threads", replaced("include/pes/client.h", " * Threads: any.\n", ""),
     ["pes_open()", "Threads"]),
    ("headers", "no Since", replaced("include/pes/client.h", " * Since: 0.1\n", ""),
     ["pes_open()", "Since"]),
    ("headers", "no Ownership", replaced("include/pes/client.h", " * Ownership: the caller's.\n", ""),
     ["pes_open()", "Ownership"]),
    ("headers", "two parts on one line",
     replaced("include/pes/client.h", " * Ownership: the caller's.\n * Threads: any.\n",
              " * Ownership: the caller's. Threads: any.\n"), ["pes_open()", "Threads"]),
    ("headers", "an error that does not exist",
     replaced("include/pes/client.h", "PES_E_QUOTA  too", "PES_E_QUOTE  too"),
     ["include/pes/client.h", "PES_E_QUOTE"]),
    ("sizes", "a function that is too long",
     {"src/broker/broker.c": code(body="    broker_main();\n" * 120 + "    return 0;\n")},
     ["src/broker/broker.c", "split it"]),
    ("sizes", "a file that is too long",
     {"src/broker/broker.c": code() + "int x;\n" * 1000}, ["src/broker/broker.c", "split it"]),
    ("sizes", "a header that is too long",
     {"src/base/list.h": GOOD["src/base/list.h"] + "int x;\n" * 500}, ["src/base/list.h", "split it"]),
    ("sizes", "a file that does not say what it is for",
     {"src/broker/broker.c": code()[len(COMMENT):]}, ["src/broker/broker.c:1", "what it is for"]),
    ("sizes", "a variant inside a function",
     {"src/broker/broker.c": code(body="#ifdef X\n    broker_main();\n#endif\n    return 0;\n")},
     ["src/broker/broker.c:11", "files of their own"]),
    ("docs", "an event without explanation",
     {"src/log/events.inc": GOOD["src/log/events.inc"] + 'LOG_EVENT(EV_END, "end")\n'},
     ["src/log/events.inc:2", "docs/events.md"]),
    ("docs", "an event that nobody logs", {"src/log/start.c": None},
     ["src/log/events.inc:1", "no source logs EV_START"]),
    ("docs", "an explanation without event",
     {"docs/events.md": GOOD["docs/events.md"] + "| `gone` | Gone. |\n"},
     ["docs/events.md:6", "src/log/events.inc"]),
    ("docs", "a link that leads nowhere",
     {"docs/a.md": "# A\n\nSee [b](b.md).\n"}, ["docs/a.md:3", "leads nowhere"]),
    ("docs", "a link to a heading that is not there",
     {"docs/a.md": "# A\n\nSee [b](events.md#more).\n"}, ["docs/a.md:3", "#more"]),
    ("docs", "a link out of the tree",
     {"docs/a.md": "# A\n\nSee [b](../../b.md).\n"}, ["docs/a.md:3", "leaves the tree"]),
    ("docs", "a folder without README", {"src/broker/README.md": None,
                                         "src/base/README.md": "# base\n"},
     ["src/broker", "no README.md"]),
    ("docs", "a README that goes on and on", {"src/broker/README.md": "# Broker\n" + "more\n" * 60},
     ["src/broker/README.md", "40 lines"]),
    ("docs", "a folder of one machine", {"docs/a.md": "# A\n\nRun " + "/ho" + "me/jd/x.\n"},
     ["docs/a.md:3", "leave it out"]),
    ("docs", "a mail address", {"docs/a.md": "# A\n\nAsk " + "j.doe" + "@" + "firma.cz.\n"},
     ["docs/a.md:3", "leave it out"]),
    ("threats", "a row that went away", replaced("docs/threats.toml", "[C7]", "[C77]"),
     ["docs/threats.toml:1", "no row C7;"]),
    ("threats", "a row that nobody knows", {"docs/threats.toml": GOOD["docs/threats.toml"] + "[Z1]\n"},
     ["docs/threats.toml:481", "Z1 is no known row"]),
    ("threats", "a row without a mitigation", replaced("docs/threats.toml", 'mitigation = "m"\n', ""),
     ["docs/threats.toml:1", "C1 has no 'mitigation'"]),
    ("threats", "a state that is none", replaced("docs/threats.toml", '"held"', '"hold"'),
     ["docs/threats.toml:1", "C1 has the state 'hold'"]),
    ("threats", "a key that is none", replaced("docs/threats.toml", "attack =", "why_not = 1\nattack ="),
     ["docs/threats.toml:1", "C1 has a key 'why_not'"]),
    ("threats", "a promise that is held by nothing",
     replaced("docs/threats.toml", 'tests = ["chaos/faults.py: R1: it holds"]\n', ""),
     ["docs/threats.toml:1", "C1 is held and names no test"]),
    ("threats", "a promise that is not held for no reason", replaced("docs/threats.toml", '"held"', '"missing"'),
     ["docs/threats.toml:1", "C1 is not held and does not say why"]),
    ("threats", "a test that is not there", replaced("docs/threats.toml", "it holds", "it held"),
     ["docs/threats.toml:1", "C1: there is no test 'chaos/faults.py: R1: it held'"]),
    ("threats", "a test that no row names",
     {"tests/chaos/faults.py": GOOD["tests/chaos/faults.py"] + '\n\ndef c3():\n    """C3: so does this"""\n'},
     ["tests/chaos/faults.py:9", "carries C3"]),
    ("threats", "a test in C that no row names",
     {"tests/unit/test_x.c": COMMENT + "static void v2_v3_it_is_so(void **state)\n{\n    (void)state;\n}\n"},
     ["tests/unit/test_x.c:6", "carries V3"]),
    ("threats", "a page that says something else",
     {"docs/threat-model.md": GOOD["docs/threat-model.md"].replace("held |", "kept |", 1)},
     ["docs/threat-model.md:1", "--write"]),
    ("threats", "a file that cannot be read", {"docs/threats.toml": "[C1\n"}, ["docs/threats.toml:1", "is no TOML"]),
    ("format", "a line that is laid out otherwise",
     {"src/broker/broker.c": code(body="  return 0;\n")}, ["src/broker/broker.c", "clang-format-14 -i"]),
    ("format", "a comment that is too wide",
     {"src/broker/broker.c": code("/* " + "wide " * 25 + "*/\n")}, ["src/broker/broker.c:6", "wrap_comments"]),
]


def plant(folder, changes):
    for name, text in {**GOOD, **changes}.items():
        if text is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def run(checker, changes, extra=()):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plant(folder, changes)
        done = subprocess.run([sys.executable, "-B", str(TOOLS / f"check_{checker}"), "--root", name,
                               *[e.replace("@", name) for e in extra]],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def check_clean(checker):
    status, text = run(checker, {})
    return status in (0, 77), text, status == 77


def check_planted(checker, changes, wanted):
    status, text = run(checker, changes)
    lines = text.splitlines()
    hit = any(all(part in line for part in wanted) for line in lines)
    return status == 77 or (status == 1 and hit), text, status == 77


def build_library(folder, source, arguments):
    (folder / "x.c").write_text(source)
    (folder / "x.map").write_text("OTHER_1 { global: *; };\n")
    arguments = [a.replace("@map", str(folder / "x.map")) for a in arguments]
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(folder / "x.so"), str(folder / "x.c"),
                    *arguments], check=True)
    return str(folder / "x.so")


def check_binary(source, arguments, options, wanted):
    """Builds a library and looks at it; `wanted` is None when it is as it should be."""
    if not shutil.which("cc"):
        return True, "no compiler", True
    with tempfile.TemporaryDirectory() as name:
        plant(pathlib.Path(name), {})
        library = build_library(pathlib.Path(name), source, arguments)
        done = subprocess.run([sys.executable, "-B", str(TOOLS / "check_binaries"),
                               *[o.replace("@", library) for o in options], "--root", name],
                              capture_output=True, text=True, check=False)
    good = done.returncode == 0 if wanted is None else done.returncode == 1 and wanted in done.stdout
    return good or done.returncode == 77, done.stdout + done.stderr, done.returncode == 77


BINARIES = [
    ("a library as it should be passes", "int pes_x(void){return 0;}", [],
     ["--libc-only", "@", "--exports", "pes_", "@"], None),
    ("a library that needs another one is found", "double cos(double);double pes_x(void);"
     "volatile double v;double pes_x(void){return cos(v);}", ["-lm"], ["--libc-only", "@"], "libm.so"),
    ("a library with what the headers declare passes",
     "int pes_open(void){return 0;}int pes_try(void){return 0;}int pes_close(void){return 0;}", [],
     ["--api", "@"], None),
    ("a declared function that is not there is found", "int pes_open(void){return 0;}int pes_try(void)"
     "{return 0;}", [], ["--api", "@"], "pes_close() is declared"),
    ("an export that nobody declares is found", "int pes_open(void){return 0;}int pes_try(void)"
     "{return 0;}int pes_close(void){return 0;}int pes_extra(void){return 0;}", [], ["--api", "@"],
     "exports pes_extra"),
    ("a stray export is found", "int pes_x(void){return 0;}int helper(void){return 0;}", [],
     ["--exports", "pes_", "@"], "helper"),
    ("a version node by another name is found", "int pes_x(void){return 0;}",
     ["-Wl,--version-script=@map"], ["--exports", "pes_", "@"], "OTHER_1"),
    ("a library that exports nothing is found", "int other;", ["-fvisibility=hidden"],
     ["--exports", "pes_", "@"], "exports no pes_*"),
]


def main():
    checkers = sorted({fault[0] for fault in FAULTS})
    tests = [(f"{c}: a tree without fault passes", lambda c=c: check_clean(c)) for c in checkers]
    tests += [(f"{c}: {what} is found", lambda c=c, ch=ch, w=w: check_planted(c, ch, w))
              for c, what, ch, w in FAULTS]
    tests += [(f"binaries: {what}", lambda a=rest: check_binary(*a)) for what, *rest in BINARIES]
    print(f"1..{len(tests)}")
    n_failed = 0
    for number, (name, test) in enumerate(tests, 1):
        good, text, skipped = test()
        n_failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}{' # SKIP' if skipped else ''}",
              flush=True)
        if not good:
            print("\n".join(f"# {line}" for line in text.splitlines()))
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
