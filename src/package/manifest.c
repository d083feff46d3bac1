/*
 * A manifest: lines of `key value`, and nothing else.
 *
 * The form is as narrow as it can be, since this is read by every machine: one blank between key
 * and value, each line ended by one line feed, no comments, no empty lines, numbers without
 * leading zeros, a key at most once unless it is one of a row, every key known. What a later
 * format adds is told by the first line, so that an old pes refuses it by name instead of reading
 * half of it.
 *
 * Nothing is allocated; every row has a bound.
 */
#include "package/manifest.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct parse {
    struct manifest *manifest;
    unsigned int line;
    uint32_t seen; /* bit per key */
    char *why;
};

struct key {
    const char *name;
    bool may_repeat;
    bool is_needed;
    int (*take)(struct parse *parse, const struct key *key, char *value);
    size_t offset; /* of a text or number in struct manifest */
    uint64_t min;
    uint64_t max; /* of a number; of a text: its bytes with the end */
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct parse *parse,
                                                        const char *format, ...)
{
    va_list args;
    int n = snprintf(parse->why, PACKAGE_WHY_BYTES_MAX, "manifest line %u: ", parse->line);

    va_start(args, format);
    vsnprintf(parse->why + n, PACKAGE_WHY_BYTES_MAX - (size_t)n, format, args);
    va_end(args);
    return PACKAGE_E_BAD;
}

/* --------------------------------------------------------------------------------------- values */

static bool is_word(const char *text, const char *more)
{
    for (const char *at = text; *at; at++) {
        if (!isalnum((unsigned char)*at) && !strchr(more, *at)) {
            return false;
        }
    }
    return text[0] != '\0' && isalnum((unsigned char)text[0]);
}

bool manifest_is_name(const char *text)
{
    return strlen(text) < MANIFEST_NAME_BYTES && is_word(text, "._-");
}

static bool read_number(const char *text, uint64_t *ret)
{
    uint64_t number = 0;
    size_t n = strlen(text);

    if (n == 0 || n > 18 || (text[0] == '0' && n > 1)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    *ret = number;
    return true;
}

static int take_number(struct parse *parse, const struct key *key, char *value)
{
    uint64_t number;

    if (!read_number(value, &number) || number < key->min || number > key->max) {
        return refuse(parse, "%s: give a number from %llu to %llu", key->name,
                      (unsigned long long)key->min, (unsigned long long)key->max);
    }
    memcpy((char *)parse->manifest + key->offset, &number, sizeof(number));
    return 0;
}

static int take_format(struct parse *parse, const struct key *key, char *value)
{
    return strcmp(value, "1") == 0 ? 0 : refuse(parse, "%s: only format 1 is known", key->name);
}

static int take_word(struct parse *parse, const struct key *key, char *value)
{
    if (strlen(value) >= key->max || !is_word(value, "._-+~:")) {
        return refuse(parse,
                      "%s: give at most %llu letters, digits and '._-+~:', first a letter "
                      "or digit",
                      key->name, (unsigned long long)key->max - 1);
    }
    memcpy((char *)parse->manifest + key->offset, value, strlen(value) + 1);
    return 0;
}

static int take_name(struct parse *parse, const struct key *key, char *value)
{
    if (!manifest_is_name(value)) {
        return refuse(parse,
                      "%s: give letters, digits, '.', '_' and '-', at most 32, first a "
                      "letter or digit",
                      key->name);
    }
    memcpy(parse->manifest->name, value, strlen(value) + 1);
    return 0;
}

static int take_form(struct parse *parse, const struct key *key, char *value)
{
    static const char *const forms[] = {
        [MANIFEST_FORM_MODULE] = "module",
        [MANIFEST_FORM_AGENT] = "agent",
        [MANIFEST_FORM_LOOKUP] = "lookup",
    };

    for (uint64_t i = MANIFEST_FORM_MODULE; i <= MANIFEST_FORM_LOOKUP; i++) {
        if (strcmp(value, forms[i]) == 0) {
            parse->manifest->form = i;
            return 0;
        }
    }
    return refuse(parse, "%s: give module, agent or lookup", key->name);
}

static int take_expiry(struct parse *parse, const struct key *key, char *value)
{
    uint64_t date;
    uint64_t day;
    uint64_t month;

    if (strlen(value) != 8 || !read_number(value, &date)) {
        return refuse(parse, "%s: give a day as YYYYMMDD", key->name);
    }
    day = date % 100;
    month = date / 100 % 100;
    if (date < 20000101 || day < 1 || day > 31 || month < 1 || month > 12) {
        return refuse(parse, "%s: there is no such day; give YYYYMMDD", key->name);
    }
    parse->manifest->expires = date;
    return 0;
}

static int take_kind(struct parse *parse, const struct key *key, char *value)
{
    struct manifest *manifest = parse->manifest;

    if (manifest->n_kinds == MANIFEST_KINDS_MAX) {
        return refuse(parse, "%s: more than %d kinds", key->name, MANIFEST_KINDS_MAX);
    }
    if (strlen(value) >= MANIFEST_WORD_BYTES || !is_word(value, "._-*")) {
        return refuse(parse, "%s: this is no name of a kind", key->name);
    }
    memcpy(manifest->kinds[manifest->n_kinds++], value, strlen(value) + 1);
    return 0;
}

/* LANGUAGE TEXT, or for a URL the URL alone. */
static int take_text(struct parse *parse, const struct key *key, char *value)
{
    char *text = strchr(value, ' ');

    if (!text || text == value || text - value > 16 || text[1] == '\0') {
        return refuse(parse, "%s: give a language and a text, such as 'en Close the window.'",
                      key->name);
    }
    if (strlen(text + 1) >= MANIFEST_TEXT_BYTES) {
        return refuse(parse, "%s: the text is longer than %d bytes", key->name,
                      MANIFEST_TEXT_BYTES - 1);
    }
    if (parse->manifest->n_texts++ == MANIFEST_TEXTS_MAX) {
        return refuse(parse, "%s: more than %d texts", key->name, MANIFEST_TEXTS_MAX);
    }
    return 0;
}

static int take_url(struct parse *parse, const struct key *key, char *value)
{
    if (strncmp(value, "https://", 8) != 0 || value[8] == '\0' || strchr(value, ' ') ||
        strlen(value) >= MANIFEST_TEXT_BYTES) {
        return refuse(parse, "%s: give one address that begins with https://", key->name);
    }
    for (const char *at = value; *at; at++) {
        if ((unsigned char)*at >= 0x80) {
            return refuse(parse, "%s: an address is ASCII; encode the rest", key->name);
        }
    }
    memcpy(parse->manifest->help_url, value, strlen(value) + 1);
    return 0;
}

static int read_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(const char *text, uint8_t ret[SHA256_DIGEST_BYTES])
{
    if (strlen(text) != 2 * SHA256_DIGEST_BYTES) {
        return false;
    }
    for (size_t i = 0; i < SHA256_DIGEST_BYTES; i++) {
        int high = read_digit(text[2 * i]);
        int low = read_digit(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* NAME BYTES SHA256 */
static int take_file(struct parse *parse, const struct key *key, char *value)
{
    struct manifest *manifest = parse->manifest;
    struct manifest_file *file = &manifest->files[manifest->n_files];
    char *size = strchr(value, ' ');
    char *digest = size ? strchr(size + 1, ' ') : NULL;

    if (manifest->n_files == MANIFEST_FILES_MAX) {
        return refuse(parse, "%s: more than %d files", key->name, MANIFEST_FILES_MAX);
    }
    if (!digest) {
        return refuse(parse, "%s: give NAME BYTES SHA256", key->name);
    }
    *size++ = '\0';
    *digest++ = '\0';
    if (strlen(value) >= MANIFEST_WORD_BYTES || !is_word(value, "._-")) {
        return refuse(parse, "%s: a name has letters, digits and '._-', at most 64", key->name);
    }
    if (!read_number(size, &file->n_bytes) || !read_digest(digest, file->sha256)) {
        return refuse(parse,
                      "%s: after the name come its size and 64 lower-case hexadecimal "
                      "digits",
                      key->name);
    }
    for (size_t i = 0; i < manifest->n_files; i++) {
        if (strcmp(manifest->files[i].name, value) == 0) {
            return refuse(parse, "%s: '%s' is there already", key->name, value);
        }
    }
    memcpy(file->name, value, strlen(value) + 1);
    manifest->n_files++;
    return 0;
}

/* ----------------------------------------------------------------------------------------- keys */

#define AT(member) offsetof(struct manifest, member)

static const struct key keys[] = {
    {"pes-package", false, true, take_format, 0, 0, 0},
    {"name", false, true, take_name, 0, 0, 0},
    {"version", false, true, take_word, AT(version), 0, 64},
    {"serial", false, true, take_number, AT(serial), 1, MANIFEST_SERIAL_MAX},
    {"abi", false, true, take_number, AT(abi), 1, 1000000},
    {"registry", false, true, take_number, AT(registry), 1, 1000000},
    {"form", false, true, take_form, 0, 0, 0},
    {"expires", false, false, take_expiry, 0, 0, 0},
    {"workers", false, false, take_number, AT(n_workers), 1, 16},
    {"memory-mib", false, false, take_number, AT(memory_mib), 16, 1048576},
    {"scratch-mib", false, false, take_number, AT(scratch_mib), 1, 1048576},
    {"help-url", false, false, take_url, 0, 0, 0},
    {"module", false, false, take_word, AT(module), 0, MANIFEST_WORD_BYTES},
    {"kind", true, true, take_kind, 0, 0, 0},
    {"message", true, false, take_text, 0, 0, 0},
    {"advice", true, false, take_text, 0, 0, 0},
    {"file", true, false, take_file, 0, 0, 0},
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static int take_line(struct parse *parse, char *line)
{
    char *value = strchr(line, ' ');

    if (!value) {
        return refuse(parse, "give a key, a blank and a value");
    }
    *value++ = '\0';
    for (size_t i = 0; i < N_KEYS; i++) {
        if (strcmp(line, keys[i].name) != 0) {
            continue;
        }
        if (!keys[i].may_repeat && (parse->seen & (1u << i))) {
            return refuse(parse, "%s: stands twice", keys[i].name);
        }
        parse->seen |= 1u << i;
        if (!(parse->seen & 1u)) {
            return refuse(parse, "the first line must be 'pes-package 1'");
        }
        return keys[i].take(parse, &keys[i], value);
    }
    return refuse(parse, "there is no such key");
}

/* No control character, no broken UTF-8; `n` without the line feed. */
static bool is_text(const char *line, size_t n)
{
    size_t at = 0;

    while (at < n) {
        uint32_t code = 0;
        size_t step = utf8_decode(line + at, n - at, &code);

        if (step == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            return false;
        }
        at += step;
    }
    return true;
}

const struct manifest_file *manifest_module(const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->n_files; i++) {
        if (manifest->module[0] != '\0' && strcmp(manifest->files[i].name, manifest->module) == 0) {
            return &manifest->files[i];
        }
    }
    return NULL;
}

static int check_whole(const struct parse *parse)
{
    const struct manifest_file *module = manifest_module(parse->manifest);

    for (size_t i = 0; i < N_KEYS; i++) {
        if (keys[i].is_needed && !(parse->seen & (1u << i))) {
            snprintf(parse->why, PACKAGE_WHY_BYTES_MAX, "manifest: there is no line '%s'",
                     keys[i].name);
            return PACKAGE_E_BAD;
        }
    }
    if (parse->manifest->form == MANIFEST_FORM_MODULE && (!module || module->n_bytes == 0)) {
        snprintf(parse->why, PACKAGE_WHY_BYTES_MAX,
                 "manifest: 'module' must name one of its files, which must not be empty");
        return PACKAGE_E_BAD;
    }
    return 0;
}

int manifest_parse(struct manifest *ret, const char *text, size_t n_text,
                   char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    struct parse parse = {.manifest = ret, .why = ret_why};
    char line[1024];
    size_t at = 0;

    *ret = (struct manifest){0};
    while (at < n_text) {
        const char *end = memchr(text + at, '\n', n_text - at);
        size_t n = end ? (size_t)(end - text) - at : 0;
        int r;

        parse.line++;
        if (!end) {
            return refuse(&parse, "the last line has no end");
        }
        if (n >= sizeof(line) || !is_text(text + at, n)) {
            return refuse(&parse, "is longer than %zu bytes, or no plain UTF-8 text",
                          sizeof(line) - 1);
        }
        memcpy(line, text + at, n);
        line[n] = '\0';
        r = take_line(&parse, line);
        if (r != 0) {
            return r;
        }
        at += n + 1;
    }
    return check_whole(&parse);
}
