/*
 * Small contents of many forms, and harmless: documents, programs and their headers as they come by
 * every day.
 *
 * A provider proves itself on them before it serves: one that objects to many of them has broken
 * definitions. `pes provider check` looks at each, and leads parsers astray with damaged copies.
 */
#include "base/clean_contents.h"

#define TEXT(name, text)                                                                           \
    {                                                                                              \
        (name), (text), sizeof(text) - 1                                                           \
    }

const struct clean_content clean_contents[] = {
    TEXT("prose", "The ferry leaves at nine. Bring the maps, the lamp and something warm; the "
                  "harbour master has the keys and will be there until noon.\n"),
    TEXT("utf-8", "P\xc5\x99\xc3\xadli\xc5\xa1 \xc5\xbelu\xc5\xa5ou\xc4\x8dk\xc3\xbd k\xc5\xaf\xc5"
                  "\x88 \xe2\x80\x94 \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x90\x95\n"),
    TEXT("utf-16", "\xff\xfeh\0e\0l\0l\0o\0 \0w\0o\0r\0l\0d\0\n\0"),
    TEXT("shell", "#!/bin/sh\nset -eu\nfor f in *.c; do\n    wc -l \"$f\"\ndone | sort -n\n"),
    TEXT("command", "git log --oneline --since=yesterday | grep -v merge | wc -l"),
    TEXT("python", "import sys\n\nfor line in sys.stdin:\n    print(line.rstrip()[::-1])\n"),
    TEXT("powershell", "Get-ChildItem -Recurse | Sort-Object Length | Select-Object -Last 10\r\n"),
    TEXT("javascript", "export const sum = (a) => a.reduce((x, y) => x + y, 0);\n"),
    TEXT("c", "#include <stdio.h>\n\nint main(void)\n{\n    puts(\"hello\");\n    return 0;\n}\n"),
    TEXT("sql", "SELECT name, count(*) FROM visits GROUP BY name ORDER BY 2 DESC LIMIT 10;\n"),
    TEXT("json", "{\"name\": \"lamp\", \"tags\": [\"warm\", \"small\"], \"price\": 12.5}\n"),
    TEXT("html", "<!DOCTYPE html><html><head><title>Map</title></head><body><p>Here.</p></body>"
                 "</html>\n"),
    TEXT("mail", "From: a@mail.example\r\nTo: b@mail.example\r\nSubject: maps\r\nMIME-Version: 1.0"
                 "\r\nContent-Type: text/plain\r\n\r\nSee you at nine.\r\n"),
    TEXT("http", "GET /index.html HTTP/1.1\r\nHost: www.example\r\nAccept: */*\r\n\r\n"),
    TEXT("url", "https://www.example/maps?harbour=north&page=2"),
    TEXT("csv", "day,visitors\nmonday,12\ntuesday,9\nwednesday,31\n"),
    TEXT("pdf", "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]"
                "/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"),
    TEXT("rtf", "{\\rtf1\\ansi{\\fonttbl\\f0\\fswiss Helvetica;}\\f0\\pard Here.\\par}\n"),
    TEXT("zip", "PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    TEXT("gzip", "\x1f\x8b\x08\0\0\0\0\0\0\x03\xcbH\xcd\xc9\xc9W(\xcf/\xcaI\xe1\x02\0"
                 "\x2d;\x08\xaf\x0c\0\0\0"),
    TEXT("elf",
         "\x7f"
         "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0\x01\0\0\0\x78\0@\0\0\0\0\0@\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0\0\0\0\0@\0\x38\0\x01\0\0\0\0\0\0\0"),
    TEXT("pe",
         "MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0PE\0\0\x4c\x01\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0\x02\x01"),
    TEXT("ole",
         "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x3e\0\x03\0\xfe\xff"
         "\x09\0\x06\0\0\0\0\0\0\0"),
    TEXT("png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"),
    TEXT("wasm", "\0asm\x01\0\0\0"),
};
const size_t n_clean_contents = sizeof(clean_contents) / sizeof(clean_contents[0]);
