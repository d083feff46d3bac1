/*
 * Guess the kind of a file.
 *
 * The order is: what the first bytes say (a program stays a program whatever its name), then the
 * file name's extension, then generic. A wrong guess costs a provider that would have taken the
 * better kind, so everything that a common tool would open as X should be asked under X. Nothing
 * is parsed here beyond fixed places and bounded searches in two small buffers: the bytes are
 * hostile, and the guess is a hint that `--kind` overrules.
 */
#include "cli/kind_guess.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <pes/enums.h>

struct magic {
    uint16_t offset;
    uint8_t n_bytes;
    const char *bytes;
    uint32_t kind;
};

/* Fixed bytes at fixed places, the first match wins. */
static const struct magic magics[] = {
    {0, 4,
     "\x7f"
     "ELF",
     PES_KIND_CODE_ELF},
    {0, 4, "\0asm", PES_KIND_CODE_WASM},
    {0, 4, "\xfe\xed\xfa\xce", PES_KIND_CODE_MACHO},
    {0, 4, "\xfe\xed\xfa\xcf", PES_KIND_CODE_MACHO},
    {0, 4, "\xce\xfa\xed\xfe", PES_KIND_CODE_MACHO},
    {0, 4, "\xcf\xfa\xed\xfe", PES_KIND_CODE_MACHO},
    {0, 5, "{\\rtf", PES_KIND_DOCUMENT_RTF},
    {0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", PES_KIND_DOCUMENT_OFFICE},
    {0, 21, "!<arch>\ndebian-binary", PES_KIND_PACKAGE},
    {0, 4, "\xed\xab\xee\xdb", PES_KIND_PACKAGE},
    {0, 8, "!<arch>\n", PES_KIND_ARCHIVE},
    {0, 2, "\x1f\x8b", PES_KIND_ARCHIVE},
    {0, 6,
     "\xfd"
     "7zXZ\0",
     PES_KIND_ARCHIVE},
    {0, 3, "BZh", PES_KIND_ARCHIVE},
    {0, 6, "7z\xbc\xaf\x27\x1c", PES_KIND_ARCHIVE},
    {0, 4, "Rar!", PES_KIND_ARCHIVE},
    {0, 4, "\x28\xb5\x2f\xfd", PES_KIND_ARCHIVE},
    {0, 4, "\x04\x22\x4d\x18", PES_KIND_ARCHIVE},
    {0, 5, "\x5d\0\0\x80\0", PES_KIND_ARCHIVE},
    {0, 4, "MSCF", PES_KIND_ARCHIVE},
    {257, 5, "ustar", PES_KIND_ARCHIVE},
    {0, 4, "GGUF", PES_KIND_MODEL_FILE},
    {0, 5, "<?php", PES_KIND_SCRIPT_PHP},
};

struct name_kind {
    const char *name;
    uint32_t kind;
};

/* File name extensions, for text that carries no mark of its own. */
static const struct name_kind extensions[] = {
    {"sh", PES_KIND_SCRIPT_SHELL},
    {"bash", PES_KIND_SCRIPT_SHELL},
    {"zsh", PES_KIND_SCRIPT_SHELL},
    {"ksh", PES_KIND_SCRIPT_SHELL},
    {"ps1", PES_KIND_SCRIPT_POWERSHELL},
    {"psm1", PES_KIND_SCRIPT_POWERSHELL},
    {"psd1", PES_KIND_SCRIPT_POWERSHELL},
    {"py", PES_KIND_SCRIPT_PYTHON},
    {"pyw", PES_KIND_SCRIPT_PYTHON},
    {"js", PES_KIND_SCRIPT_JAVASCRIPT},
    {"mjs", PES_KIND_SCRIPT_JAVASCRIPT},
    {"cjs", PES_KIND_SCRIPT_JAVASCRIPT},
    {"jse", PES_KIND_SCRIPT_JAVASCRIPT},
    {"php", PES_KIND_SCRIPT_PHP},
    {"phtml", PES_KIND_SCRIPT_PHP},
    {"pl", PES_KIND_SCRIPT_PERL},
    {"pm", PES_KIND_SCRIPT_PERL},
    {"rb", PES_KIND_SCRIPT_RUBY},
    {"lua", PES_KIND_SCRIPT_LUA},
    {"vbs", PES_KIND_SCRIPT_VBA},
    {"vbe", PES_KIND_SCRIPT_VBA},
    {"vba", PES_KIND_SCRIPT_VBA},
    {"bas", PES_KIND_SCRIPT_VBA},
    {"cls", PES_KIND_SCRIPT_VBA},
    {"sql", PES_KIND_SCRIPT_SQL},
    {"bat", PES_KIND_SCRIPT_OTHER},
    {"cmd", PES_KIND_SCRIPT_OTHER},
    {"wsf", PES_KIND_SCRIPT_OTHER},
    {"fish", PES_KIND_SCRIPT_OTHER},
    {"tcl", PES_KIND_SCRIPT_OTHER},
    {"html", PES_KIND_DOCUMENT_HTML},
    {"htm", PES_KIND_DOCUMENT_HTML},
    {"xhtml", PES_KIND_DOCUMENT_HTML},
    {"hta", PES_KIND_DOCUMENT_HTML},
    {"eml", PES_KIND_MAIL_MESSAGE},
    {"pdf", PES_KIND_DOCUMENT_PDF},
    {"rtf", PES_KIND_DOCUMENT_RTF},
    {"doc", PES_KIND_DOCUMENT_OFFICE},
    {"docx", PES_KIND_DOCUMENT_OFFICE},
    {"docm", PES_KIND_DOCUMENT_OFFICE},
    {"xls", PES_KIND_DOCUMENT_OFFICE},
    {"xlsx", PES_KIND_DOCUMENT_OFFICE},
    {"xlsm", PES_KIND_DOCUMENT_OFFICE},
    {"ppt", PES_KIND_DOCUMENT_OFFICE},
    {"pptx", PES_KIND_DOCUMENT_OFFICE},
    {"odt", PES_KIND_DOCUMENT_OFFICE},
    {"ods", PES_KIND_DOCUMENT_OFFICE},
    {"odp", PES_KIND_DOCUMENT_OFFICE},
    {"zip", PES_KIND_ARCHIVE},
    {"tar", PES_KIND_ARCHIVE},
    {"rar", PES_KIND_ARCHIVE},
    {"class", PES_KIND_CODE_BYTECODE},
    {"pyc", PES_KIND_CODE_BYTECODE},
    {"pt", PES_KIND_MODEL_FILE},
    {"pth", PES_KIND_MODEL_FILE},
    {"pkl", PES_KIND_MODEL_FILE},
    {"onnx", PES_KIND_MODEL_FILE},
    {"safetensors", PES_KIND_MODEL_FILE},
    {"service", PES_KIND_CONFIG},
    {"desktop", PES_KIND_CONFIG},
    {"timer", PES_KIND_CONFIG},
    {"apk", PES_KIND_PACKAGE},
};

/* Programs named in a "#!" line. Digits and dots at the end of the name are left out before. */
static const struct name_kind interpreters[] = {
    {"sh", PES_KIND_SCRIPT_SHELL},          {"bash", PES_KIND_SCRIPT_SHELL},
    {"dash", PES_KIND_SCRIPT_SHELL},        {"ash", PES_KIND_SCRIPT_SHELL},
    {"ksh", PES_KIND_SCRIPT_SHELL},         {"mksh", PES_KIND_SCRIPT_SHELL},
    {"zsh", PES_KIND_SCRIPT_SHELL},         {"busybox", PES_KIND_SCRIPT_SHELL},
    {"python", PES_KIND_SCRIPT_PYTHON},     {"pypy", PES_KIND_SCRIPT_PYTHON},
    {"perl", PES_KIND_SCRIPT_PERL},         {"ruby", PES_KIND_SCRIPT_RUBY},
    {"lua", PES_KIND_SCRIPT_LUA},           {"luajit", PES_KIND_SCRIPT_LUA},
    {"php", PES_KIND_SCRIPT_PHP},           {"node", PES_KIND_SCRIPT_JAVASCRIPT},
    {"nodejs", PES_KIND_SCRIPT_JAVASCRIPT}, {"deno", PES_KIND_SCRIPT_JAVASCRIPT},
    {"bun", PES_KIND_SCRIPT_JAVASCRIPT},    {"pwsh", PES_KIND_SCRIPT_POWERSHELL},
};

/* Starts of a page, without regard to case, after blanks. */
static const char *const html_starts[] = {
    "<!doctype html", "<html", "<head", "<body", "<script", "<hta:application",
};

static const char *const mail_headers[] = {
    "from",    "to",           "subject",      "date",       "received",
    "sender",  "message-id",   "mime-version", "reply-to",   "return-path",
    "list-id", "delivered-to", "content-type", "x-received", "dkim-signature",
};

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t kind_by_name(const struct name_kind *rows, size_t n_rows, const char *name,
                             size_t n_name)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (strlen(rows[i].name) == n_name && strncasecmp(rows[i].name, name, n_name) == 0) {
            return rows[i].kind;
        }
    }
    return PES_KIND_NONE;
}

static bool holds(const void *bytes, size_t n_bytes, const char *text)
{
    return bytes != NULL && memmem(bytes, n_bytes, text, strlen(text)) != NULL;
}

/* A ZIP container is what its members say. They may come in any order, and the list of all of them
 * is at the end of the file, so that both ends count. */
static uint32_t kind_of_zip(const struct kind_sample *sample)
{
    static const char *const marks[] = {
        "[Content_Types].xml",
        "application/vnd.oasis.opendocument",
    };

    for (size_t i = 0; i < N_ELEMENTS(marks); i++) {
        if (holds(sample->head, sample->n_head, marks[i]) ||
            holds(sample->tail, sample->n_tail, marks[i])) {
            return PES_KIND_DOCUMENT_OFFICE;
        }
    }
    return PES_KIND_ARCHIVE;
}

/* CAFEBABE opens both a Java class (then minor and major version, at least 45) and a Mach-O file
 * for several processors (then their number, never so large). */
static uint32_t kind_of_cafebabe(const uint8_t *head, size_t n_head)
{
    uint32_t next;

    if (n_head < 8) {
        return PES_KIND_CODE_BYTECODE;
    }
    next = (uint32_t)head[4] << 24 | (uint32_t)head[5] << 16 | (uint32_t)head[6] << 8 | head[7];
    return next < 45 ? PES_KIND_CODE_MACHO : PES_KIND_CODE_BYTECODE;
}

/* One word of a "#!" line, from *pos on. */
static size_t shebang_word(const char *line, size_t n_line, size_t *pos)
{
    size_t start;

    while (*pos < n_line && (line[*pos] == ' ' || line[*pos] == '\t')) {
        (*pos)++;
    }
    start = *pos;
    while (*pos < n_line && line[*pos] != ' ' && line[*pos] != '\t' && line[*pos] != '\r') {
        (*pos)++;
    }
    return start;
}

static uint32_t kind_of_shebang(const char *head, size_t n_head)
{
    const char *end = memchr(head, '\n', n_head);
    size_t n_line = end ? (size_t)(end - head) : n_head;
    size_t pos = 2;
    uint32_t kind;

    /* "#!/usr/bin/env -S VAR=1 python3 -u": env, its options and its assignments are not it. */
    for (;;) {
        size_t start = shebang_word(head, n_line, &pos);
        const char *word = head + start;
        size_t n_word = pos - start;
        const char *slash;

        if (n_word == 0) {
            return PES_KIND_SCRIPT_OTHER;
        }
        if (word[0] == '-' || memchr(word, '=', n_word)) {
            continue;
        }
        slash = memrchr(word, '/', n_word);
        if (slash) {
            n_word -= (size_t)(slash + 1 - word);
            word = slash + 1;
        }
        if (n_word == 3 && memcmp(word, "env", 3) == 0) {
            continue;
        }
        while (n_word > 1 &&
               (isdigit((unsigned char)word[n_word - 1]) || word[n_word - 1] == '.')) {
            n_word--;
        }
        kind = kind_by_name(interpreters, N_ELEMENTS(interpreters), word, n_word);
        return kind != PES_KIND_NONE ? kind : PES_KIND_SCRIPT_OTHER;
    }
}

static bool is_html(const char *head, size_t n_head)
{
    size_t pos = n_head >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    while (pos < n_head && isspace((unsigned char)head[pos])) {
        pos++;
    }
    for (size_t i = 0; i < N_ELEMENTS(html_starts); i++) {
        size_t n = strlen(html_starts[i]);

        if (n_head - pos >= n && strncasecmp(head + pos, html_starts[i], n) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_mail_header(const char *line, size_t n_line)
{
    const char *colon = memchr(line, ':', n_line);

    for (size_t i = 0; colon && i < N_ELEMENTS(mail_headers); i++) {
        size_t n = strlen(mail_headers[i]);

        if ((size_t)(colon - line) == n && strncasecmp(line, mail_headers[i], n) == 0) {
            return true;
        }
    }
    return false;
}

/* A mail opens with a header (or an mbox "From " line) and has a second well-known one before its
 * first empty line. */
static bool is_mail(const char *head, size_t n_head)
{
    size_t n_known = 0;

    for (size_t pos = 0; pos < n_head;) {
        const char *line = head + pos;
        const char *end = memchr(line, '\n', n_head - pos);
        size_t n_line = end ? (size_t)(end - line) : n_head - pos;
        bool is_first = pos == 0;

        pos += n_line + 1;
        if (n_line == 0 || (n_line == 1 && line[0] == '\r')) {
            break;
        }
        if (is_mail_header(line, n_line) ||
            (is_first && n_line > 5 && memcmp(line, "From ", 5) == 0)) {
            n_known++;
        } else if (is_first) {
            return false;
        }
    }
    return n_known >= 2;
}

static uint32_t kind_by_content(const struct kind_sample *sample)
{
    const char *head = sample->head;
    size_t n_head = sample->n_head;

    for (size_t i = 0; i < N_ELEMENTS(magics); i++) {
        const struct magic *m = &magics[i];

        if (n_head >= (size_t)m->offset + m->n_bytes &&
            memcmp(head + m->offset, m->bytes, m->n_bytes) == 0) {
            return m->kind;
        }
    }
    if (n_head >= 4 && memcmp(head, "\xca\xfe\xba\xbe", 4) == 0) {
        return kind_of_cafebabe(sample->head, n_head);
    }
    if (n_head >= 4 && (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0)) {
        return kind_of_zip(sample);
    }
    if (n_head >= 64 && memcmp(head, "MZ", 2) == 0) {
        return PES_KIND_CODE_PE;
    }
    if (n_head >= 2 && memcmp(head, "#!", 2) == 0) {
        return kind_of_shebang(head, n_head);
    }
    /* Readers take a PDF whose header is anywhere in the first KiB. */
    if (holds(head, n_head < 1024 ? n_head : 1024, "%PDF-")) {
        return PES_KIND_DOCUMENT_PDF;
    }
    if (is_html(head, n_head)) {
        return PES_KIND_DOCUMENT_HTML;
    }
    return is_mail(head, n_head) ? PES_KIND_MAIL_MESSAGE : PES_KIND_NONE;
}

static uint32_t kind_by_extension(const char *name)
{
    const char *base = strrchr(name, '/');
    const char *dot;

    base = base ? base + 1 : name;
    dot = strrchr(base, '.');
    if (!dot || dot == base) {
        return PES_KIND_NONE;
    }
    return kind_by_name(extensions, N_ELEMENTS(extensions), dot + 1, strlen(dot + 1));
}

uint32_t kind_guess(const struct kind_sample *sample)
{
    uint32_t kind = PES_KIND_NONE;

    if (sample->head && sample->n_head > 0) {
        kind = kind_by_content(sample);
    }
    if (kind == PES_KIND_NONE && sample->name) {
        kind = kind_by_extension(sample->name);
    }
    return kind != PES_KIND_NONE ? kind : PES_KIND_GENERIC;
}
