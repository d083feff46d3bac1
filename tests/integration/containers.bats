#!/usr/bin/env bats
# What is packed, and nobody here unpacks: never examined, so never exit status 0; and what is found nevertheless.

bats_require_minimum_version 1.5.0
load ../support/pes

setup_file() {
    pes_setup
    mkdir -p "$PES_TMP/config/providers.d"
    echo 'mode = "observe"' >"$PES_TMP/config/pes.conf"
    local name
    for name in eicar yara hashlist command; do
        [ -n "$(find "$PES_STAGE" -name "$name.so")" ] || continue
        printf 'module = "%s.so"\n' "$name" >"$PES_TMP/config/providers.d/$name.conf"
        [ "$name" = eicar ] || printf 'definitions = "%s"\n' "$PES_STAGE/share/pes/$name" \
            >>"$PES_TMP/config/providers.d/$name.conf"
    done
    chmod -R a+rX "$PES_TMP"
    pes_start --config "$PES_TMP/config"
    # Whoever still loads has not answered, which would be another reason to end with 3.
    local tries=0
    while pes providers | grep -q loading && [ $((tries++)) -lt 600 ]; do
        read -r -t 0.1 <> <(:) || :
    done
}
teardown_file() { pes_teardown; }

setup() {
    cd "$BATS_TEST_TMPDIR"
    EICAR='X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-''STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
    export EICAR
}

make_packed() {
    mkdir packed
    python3 - <<'END_OF_PYTHON'
import base64, bz2, gzip, io, lzma, tarfile, zipfile
text = b"harmless text\n" * 20
def write(name, content):
    with open("packed/" + name, "wb") as file:
        file.write(content)
def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.writestr(member, text)
    return out.getvalue()
write("zip", zipped(["a.txt"]))
write("docx", zipped(["[Content_Types].xml", "word/document.xml"]))
write("zip-behind-a-script", b"#!/bin/sh\nexit 0\n" + zipped(["a.txt"]))
write("gzip", gzip.compress(text))
write("bzip2", bz2.compress(text))
write("xz", lzma.compress(text))
write("lzma", lzma.compress(text, lzma.FORMAT_ALONE))
for name, form in ("tar-ustar", tarfile.USTAR_FORMAT), ("tar-gnu", tarfile.GNU_FORMAT), ("tar-pax", tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        member = tarfile.TarInfo("a.txt")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    write(name, out.getvalue())
head = b"From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: "
write("mail-base64", head + b"base64\r\n\r\n" + base64.encodebytes(text))
write("mail-quoted-printable", head + b"quoted-printable\r\n\r\nharml=65ss\r\n")
write("pdf", b"%PDF-1.4\n1 0 obj <</Filter /FlateDecode>>\nstream\nendstream\nendobj\n")
write("ole", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
END_OF_PYTHON
}

@test "nothing found in what nobody unpacked ends with 3, for each form" {
    make_packed
    local file wrong=
    for file in packed/*; do
        run pes scan "$file"
        [ "$status" -eq 3 ] || wrong+=" $file:$status"
    done
    [ -z "$wrong" ] || { echo "ended otherwise:$wrong"; false; }
    pes scan --json packed/* >answers || [ $? -eq 3 ]
    python3 - <<'END_OF_PYTHON'
import json
for answer in map(json.loads, open("answers")):
    assert (answer["verdict"], answer["coverage"]) == ("not_detected", "unsupported"), answer
END_OF_PYTHON
}

@test "ordinary things are examined in full" {
    echo 'some text' >text
    printf 'From: a@example.org\nContent-Transfer-Encoding: 7bit\n\nhello\n' >mail
    printf '\211PNG\r\n\032\n\0\0\0\rIHDR' >picture.png
    printf '\377\376h\0e\0l\0l\0o\0' >utf16
    cp "$(type -P true)" program
    run pes scan text mail picture.png utf16 program
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "a finding in what is packed stays a finding" {
    python3 -c 'import os, zipfile
with zipfile.ZipFile("stored.zip", "w") as archive:
    archive.writestr("eicar.com", os.environ["EICAR"])'
    run pes scan stored.zip
    [ "$status" -eq 1 ]
    [[ $output == *EICAR* ]]
}

@test "EICAR is found as UTF-16, in base64 in a script, and with HTML escapes" {
    python3 - <<'END_OF_PYTHON'
import base64, os
eicar = os.environ["EICAR"]
def write(name, content):
    with open(name, "wb") as file:
        file.write(content)
write("utf16le.txt", b"\xff\xfe" + eicar.encode("utf-16-le"))
write("utf16be.txt", b"\xfe\xff" + eicar.encode("utf-16-be"))
for shift in range(3):
    packed = base64.b64encode(b"x" * shift + eicar.encode())
    write(f"base64-{shift}.sh", b"#!/bin/sh\necho " + packed + b" | base64 -d >file\n")
write("decimal.html", "<p>{}</p>".format("".join(f"&#{ord(c)};" for c in eicar)).encode())
write("hexadecimal.html", "<p>{}</p>".format("".join(f"&#x{ord(c):x};" for c in eicar)).encode())
write("some.html", "<p>{}</p>".format(eicar.replace("$", "&#36;").replace("!", "&#33;")).encode())
END_OF_PYTHON
    local file wrong=
    for file in utf16*.txt base64-*.sh *.html; do
        run pes scan "$file"
        [ "$status" -eq 1 ] && [[ $output == *EICAR* ]] || wrong+=" $file:$status"
    done
    [ -z "$wrong" ] || { echo "not found:$wrong"; false; }
}

@test "no packed file of the corpora ends with 0" {
    [ -n "$PES_CORPORA" ] && [ -d "$PES_CORPORA/archives" ] || skip "no corpora (meson option 'corpora')"
    (cd "$PES_CORPORA" && pes scan -r --json archives email docs) >answers 2>errors || [ $? -eq 1 ] # EICAR is among them
    (cd "$PES_CORPORA" && find archives email docs -type f) | sort >files
    python3 - <<'END_OF_PYTHON'
import collections, json, re
answers = [json.loads(line) for line in open("answers")]
assert sorted(answer["name"] for answer in answers) == open("files").read().split("\n")[:-1]
outcomes = collections.Counter((answer["verdict"], answer["coverage"]) for answer in answers)
print(outcomes)
# By what the files are called, which the recogniser does not look at.
packed = re.compile(r"\.(zip|gz|tgz|xz|lzma|bz2|7z|rar|cab|tar|doc[xm]?|xls[xmb]?|ppt[xm]?|pdf|rtf)$", re.I)
n_packed = 0
wrong = []
for answer in answers:
    if packed.search(answer["name"]):
        n_packed += 1
        if answer["coverage"] == "full" and answer["verdict"] in ("not_detected", "known_good", "no_opinion", "none"):
            wrong.append(answer["name"])
assert n_packed > 50, n_packed
assert not wrong, wrong
END_OF_PYTHON
}
