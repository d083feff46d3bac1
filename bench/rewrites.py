"""Rewrites of command lines that keep their meaning, for bench/detection.

Each takes a line and a source of chance, and returns the line written in another way, or None where it does not
apply. They know as much of a shell as they need, and leave alone what they are not sure about: a rewrite that breaks
a line would measure nothing. What they do is what people who hide a command do: case, marks that a shell ignores,
other names of the same program or option, variables, another way to quote, a wrapper, a remark.
"""
import base64
import re

POWERSHELL = re.compile(r"(?i)^\s*(?:powershell|pwsh)(?:\.exe)?\b")
CMD = re.compile(r"(?i)^\s*(?:cmd(?:\.exe)?\s+/[ck]|mshta|certutil|bitsadmin|regsvr32|rundll32|msiexec|forfiles|wmic|"
                 r"schtasks|reg|net|wscript|cscript|conhost|start|vssadmin|wevtutil|bcdedit)\b")
CMDLETS = re.compile(r"(?i)\b(?:iex|irm|iwr|invoke-\w+|new-object|start-process|get-\w+|set-\w+|add-\w+)\b|\[[\w.]+\]::|^\s*\$\w+ ?=")
UNIX = re.compile(r"^\s*(?:sudo |nohup |\(|cd /)?(?:curl|wget|bash|sh|zsh|/bin/|echo|printf|eval|python|perl|ruby|php|nc|"
                  r"cat|tar|rm|dd|chmod|base64|osascript|export|unset|mkfifo|socat|ncat|find|openssl)\b")
SHELL_PROGRAMS = r"curl|wget|bash|base64|zsh|python3|perl|osascript|socat|ncat"
SYSTEM_PROGRAMS = r"mshta|certutil|bitsadmin|regsvr32|rundll32|msiexec|wscript|cscript|schtasks|wmic|vssadmin"
ALIASES = [
    ("iex", "Invoke-Expression"), ("irm", "Invoke-RestMethod"), ("iwr", "Invoke-WebRequest"),
    ("saps", "Start-Process"), ("gc", "Get-Content"), ("gcb", "Get-Clipboard"),
]
OPTIONS = {
    "e": ("-e", "-ec", "-en", "-enc", "-encod", "-EncodedCommand", "/enc"),
    "w": ("-w", "-win", "-windows", "-WindowStyle", "/w"),
    "ep": ("-ep", "-ex", "-exec", "-executionp", "-ExecutionPolicy", "/ep"),
    "nop": ("-nop", "-noprof", "-NoProfile", "/nop"),
    "c": ("-c", "-com", "-Command", "/c"),
}
OPTION_OF = {
    "e": r"-e(?:c|nc|ncodedcommand)?", "w": r"-w(?:in|indowstyle)?", "ep": r"-(?:ep|exec(?:utionpolicy)?)",
    "nop": r"-nop(?:rofile)?", "c": r"-c(?:ommand)?",
}


def dialect(line):
    if "\n" in line or "⏎" in line:
        return None
    if POWERSHELL.match(line):
        return "powershell.exe"
    if CMD.match(line):
        return "cmd"
    if UNIX.match(line):
        return "sh"
    return "powershell" if CMDLETS.search(line) else None


def odd_case(text, chance):
    return "".join(c.upper() if chance.random() < 0.5 else c.lower() for c in text)


def names_cased(line, chance):
    """Windows does not care about case; texts and addresses are left alone."""
    if dialect(line) in (None, "sh"):
        return None
    return re.sub(r"(?i)\b(?:powershell|pwsh|cmd|iex|irm|iwr|invoke-[a-z]+|start-process|new-object|" + SYSTEM_PROGRAMS + r")\b",
                  lambda m: odd_case(m[0], chance), line)


def carets(line, chance):
    """Outside quotes cmd takes ^x for x."""
    if dialect(line) != "cmd" and not (dialect(line) == "powershell.exe" and "|" not in line):
        return None
    return re.sub(r"(?i)^(\s*)(\w+)", lambda m: m[1] + "^".join(m[2]), line, count=1)


def quotes_inside(line, chance):
    if dialect(line) == "cmd":
        return re.sub(r"(?i)^(\s*)(\w\w)(\w+)", r'\1\2""\3', line, count=1)
    if dialect(line) == "sh" and not re.search(r"""['"]""", line):
        return re.sub(rf"\b({SHELL_PROGRAMS})\b(?=\s)", lambda m: m[0][:2] + "''" + m[0][2:], line)
    return None


def backslashes(line, chance):
    if dialect(line) != "sh" or re.search(r"""['"`]""", line):
        return None
    return re.sub(rf"\b({SHELL_PROGRAMS})\b(?=\s)", lambda m: m[0][0] + "\\" + m[0][1:], line)


def backticks(line, chance):
    """PowerShell takes `x for x, but for the letters that mean something."""
    if dialect(line) != "powershell":
        return None
    return re.sub(r"(?i)\b(?:iex|irm|iwr|invoke-(?:expression|restmethod|webrequest))\b",
                  lambda m: re.sub(r"(?i)(?<=.)([iwxmpsl])", r"`\1", m[0], count=2), line)


def other_names(line, chance):
    if dialect(line) not in ("powershell", "powershell.exe"):
        return None
    for short, long in ALIASES:
        made = re.sub(rf"(?i)(?<![\w'\"-]){short}(?![\w'\"-])", long, line)
        if made == line:
            made = re.sub(rf"(?i)(?<![\w'\"-]){long}(?![\w'\"-])", short, line)
        if made != line:
            return made
    return None


def other_options(line, chance):
    if dialect(line) != "powershell.exe":
        return None
    for key, forms in OPTIONS.items():
        line = re.sub(rf"(?i)(?<=\s){OPTION_OF[key]}(?=\s)", lambda m, f=forms: chance.choice(f), line, count=1)
    return re.sub(r"(?i)(?<=\s)hidden(?=\s)", lambda m: chance.choice(("h", "hid", "1", "'hidden'")), line, count=1)


def field_separator(line, chance):
    if dialect(line) != "sh" or re.search(r"""['"<>#{}=]""", line):
        return None
    return re.sub(r"\b(curl|wget) ([^|;&]+?)(?= ?[|;&])", lambda m: m[0].replace(" ", "${IFS}"), line, count=1)


def other_substitution(line, chance):
    if dialect(line) != "sh" or "`" in line or line.count("$(") != 1 or "<(" in line:
        return None
    return re.sub(r"\$\(([^()]*)\)", r"`\1`", line)


def variables(line, chance):
    kind = dialect(line)
    if kind == "sh":
        made = re.match(rf"\s*(?:{SHELL_PROGRAMS})\b(?=\s)", line)
        return made and f"a={made[0][:2]};b={made[0][2:]};$a$b{line[made.end():]}"
    if kind == "cmd":
        made = re.match(rf"(?i)\s*(?:{SYSTEM_PROGRAMS})\b(?=\s)", line)
        return made and '%' not in line and '"' not in line and f'cmd /v:on /c "set a={made[0][:2]}&&set b={made[0][2:]}&&!a!!b!{line[made.end():]}"' or None
    if kind == "powershell" and re.search(r"(?i)\| ?iex\b", line):
        return "$a='ie';$b='x';" + re.sub(r"(?i)\| ?iex\b", "|&($a+$b)", line, count=1)
    return None


def texts_joined(line, chance):
    """'https://…' as ('htt'+'ps://…')."""
    if dialect(line) not in ("powershell", "powershell.exe"):
        return None
    return re.sub(r"'(https?://[^'\s]+)'", lambda m: f"('{m[1][:5]}'+'{m[1][5:11]}'+'{m[1][11:]}')", line, count=1)


def full_paths(line, chance):
    made = re.match(rf"(?i)\s*({SYSTEM_PROGRAMS})(?:\.exe)?\b(?=\s)", line)
    if made:
        return f"%SystemRoot%\\System32\\{made[1]}.exe{line[made.end():]}"
    made = re.match(r"(?i)\s*cmd(?:\.exe)?(?=\s)", line)
    if made:
        return "%ComSpec%" + line[made.end():]
    if dialect(line) == "sh":
        return re.sub(r"(^|[|;&] ?)(curl|wget|bash|sh)(?=\s)", r"\1/usr/bin/\2", line)
    return None


def remarks(line, chance):
    kind = dialect(line)
    if kind in ("sh", "powershell") and line.count('"') % 2 == 0 and line.count("'") % 2 == 0:
        return line + "   # see the release notes of last week"
    return line + " & rem see the release notes of last week" if kind == "cmd" and '"' not in line else None


def blanks(line, chance):
    if dialect(line) is None or re.search(r"""['"]""", line):
        return None
    return re.sub(r" ", lambda m: chance.choice((" ", "  ", "\t", "   ")), line)


def wrapped(line, chance):
    kind = dialect(line)
    if kind == "sh" and "'" not in line:
        return f"bash -c '{line}'"
    if kind == "powershell" and '"' not in line:
        return f'powershell -nop -c "{line}"'
    return f"cmd /c {line}" if kind in ("cmd", "powershell.exe") and '"' not in line else None


def encoded(line, chance):
    kind = dialect(line)
    if kind == "sh":
        return f"echo {base64.b64encode(line.encode()).decode()} | base64 -d | bash"
    if kind == "powershell":
        return f"powershell -enc {base64.b64encode(line.encode('utf-16-le')).decode()}"
    return None


ALL = {
    "case": names_cased, "carets": carets, "quotes": quotes_inside, "backslashes": backslashes, "backticks": backticks,
    "aliases": other_names, "options": other_options, "ifs": field_separator, "substitution": other_substitution,
    "variables": variables, "joined": texts_joined, "paths": full_paths, "remark": remarks, "blanks": blanks,
    "wrapped": wrapped, "encoded": encoded,
}


def of(line, chance):
    """(name, rewritten line) for every rewrite that applies and changes something."""
    for name, rewrite in ALL.items():
        made = rewrite(line, chance)
        if made and made != line:
            yield name, made
