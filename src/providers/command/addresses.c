/*
 * addresses: what the addresses in a text look like.
 *
 * Judged is form: a number for a host, a user name before it, a port, a picture's name on what is
 * run. No host is bad by its name; a list of well-known ones only says that an installer from there
 * is nothing unusual.
 */
#include "providers/command/addresses.h"

#include <string.h>

#define ADDRESS_MAX 512u

struct part {
    size_t from;
    size_t to;
};

struct address {
    bool is_plain; /* http or ftp */
    bool has_user;
    struct part host;
    struct part port;
    struct part path; /* up to ? or # */
    size_t end;
};

static bool ends_address(uint8_t c)
{
    return c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '|' || c == ')' ||
           c == '(' || c == '`' || c == '}' || c == '{' || c == ';' || c == '^' || c == ',';
}

/* `*` for anything, at most one after the other to go back to: linear in practice, bounded
 * always. */
static bool matches(const char *pattern, const uint8_t *text, size_t n)
{
    const char *star = NULL;
    size_t star_at = 0;
    size_t i = 0;

    while (i < n) {
        if (*pattern == '*') {
            star = pattern++;
            star_at = i;
        } else if (*pattern != '\0' && (uint8_t)*pattern == text[i]) {
            pattern++;
            i++;
        } else if (star) {
            pattern = star + 1;
            i = ++star_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

bool address_is_known(const struct known_addresses *known, const uint8_t *address, size_t n)
{
    if (n > ADDRESS_MAX || memchr(address, '@', n)) {
        return false;
    }
    for (size_t i = 0; i < known->n; i++) {
        size_t n_pattern = strlen(known->patterns[i]);

        if (matches(known->patterns[i], address, n)) {
            return true;
        }
        /* Without a * it stands for everything below it, too. */
        if (!memchr(known->patterns[i], '*', n_pattern) && n > n_pattern &&
            (address[n_pattern] == '/' || address[n_pattern] == '?') &&
            memcmp(known->patterns[i], address, n_pattern) == 0) {
            return true;
        }
    }
    return false;
}

/* One number of a numeric host, in decimal, octal or hexadecimal; where it ends, 0 when it is none.
 */
static size_t number_end(const struct text *text, size_t at, size_t to)
{
    size_t i = at;
    bool is_hex = text_at(text, at) == '0' && text_at(text, at + 1) == 'x';

    i += is_hex ? 2 : 0;
    while (i < to && ((text->bytes[i] >= '0' && text->bytes[i] <= '9') ||
                      (is_hex && text->bytes[i] >= 'a' && text->bytes[i] <= 'f'))) {
        i++;
    }
    return i > at + (is_hex ? 2 : 0) ? i : 0;
}

/* 0: a name; 1: four decimal numbers, or IPv6; 2: a number in a form that nobody writes. */
static unsigned numeric_form(const struct text *text, struct part host)
{
    size_t n = 0;
    bool is_odd = false;

    if (host.to > host.from && text->bytes[host.from] == '[') {
        return 1;
    }
    for (size_t i = host.from; i < host.to;) {
        size_t end = number_end(text, i, host.to);

        if (end == 0 || (end < host.to && text->bytes[end] != '.')) {
            return 0;
        }
        is_odd |= text->bytes[i] == '0' && end - i > 1;
        n++;
        i = end + 1;
    }
    return n == 0 ? 0 : n == 4 && !is_odd ? 1 : 2;
}

static size_t find(const struct text *text, size_t from, size_t to, const char *set)
{
    while (from < to && !strchr(set, text->bytes[from])) {
        from++;
    }
    return from;
}

/* The parts of an address whose host begins at `at`. */
static void parts_find(const struct text *text, size_t at, struct address *address)
{
    size_t end = at;
    size_t host_end;
    size_t user_end;

    while (end < text->n && end - at < ADDRESS_MAX && !ends_address(text->bytes[end])) {
        end++;
    }
    host_end = find(text, at, end, "/\\?#");
    user_end = find(text, at, host_end, "@");
    address->end = end;
    address->has_user = user_end < host_end;
    address->host.from = address->has_user ? user_end + 1 : at;
    address->host.to = text_at(text, address->host.from) == '['
                           ? find(text, address->host.from, host_end, "]") + 1
                           : find(text, address->host.from, host_end, ":");
    address->host.to = address->host.to > host_end ? host_end : address->host.to;
    address->port = (struct part){address->host.to + 1, host_end};
    address->path = (struct part){host_end, find(text, host_end, end, "?#")};
}

static bool ends_with_any(const struct text *text, struct part path, const char *const *endings)
{
    for (; *endings; endings++) {
        size_t n = strlen(*endings);

        if (path.to - path.from >= n && text_has(text, path.to - n, *endings)) {
            return true;
        }
    }
    return false;
}

static bool is_usual_port(const struct text *text, struct part port)
{
    static const char *const usual[] = {"80", "443", "8080", NULL};

    if (port.from >= port.to) {
        return true;
    }
    for (const char *const *u = usual; *u; u++) {
        if (port.to - port.from == strlen(*u) && text_has(text, port.from, *u)) {
            return true;
        }
    }
    return false;
}

static void note(const struct text *plain, size_t from, const struct address *address,
                 unsigned view, const struct known_addresses *known, struct signals *signals)
{
    static const char *const disguises[] = {".png",  ".jpg", ".jpeg", ".gif", ".ico",  ".css",
                                            ".mp3",  ".mp4", ".log",  ".dat", ".txt",  ".json",
                                            ".svg",  ".bmp", ".webp", ".pdf", ".docx", ".xml",
                                            ".woff", ".wav", ".csv",  ".tif", ".avi",  NULL};
    static const char *const scripts[] = {".sh",   ".ps1", ".hta", ".vbs",  ".js",  ".bat", ".cmd",
                                          ".py",   ".pl",  ".rb",  ".sct",  ".wsf", ".jse", ".vbe",
                                          ".psm1", ".php", ".zsh", ".bash", ".xsl", ".exe", ".dll",
                                          ".msi",  ".scr", ".cpl", NULL};
    unsigned form = numeric_form(plain, address->host);
    bool is_known = !address->has_user && address_is_known(known, plain->bytes + address->host.from,
                                                           address->path.to - address->host.from);

#define NOTE(fact) signals_add(signals, fact, view, plain, from, address->end)
    NOTE(FACT_ADDRESS);
    NOTE(is_known ? FACT_ADDRESS_KNOWN : FACT_ADDRESS_UNKNOWN);
    if (form > 0) {
        NOTE(FACT_ADDRESS_NUMERIC);
    }
    if (form == 2 || address->has_user) {
        NOTE(FACT_ADDRESS_ODD);
    }
    if (address->is_plain) {
        NOTE(FACT_ADDRESS_PLAIN);
    }
    if (!is_usual_port(plain, address->port)) {
        NOTE(FACT_ADDRESS_PORT);
    }
    if (ends_with_any(plain, address->path, disguises)) {
        NOTE(FACT_ADDRESS_DISGUISED);
    }
    if (ends_with_any(plain, address->path, scripts)) {
        NOTE(FACT_ADDRESS_SCRIPT);
    }
#undef NOTE
}

/* \\host\share, where host is a number or has @ssl or @port: a folder on the internet. */
static size_t share_end(const struct text *plain, size_t at)
{
    struct part host = {at + 2, at + 2};
    bool has_mark = false;

    while (host.to < plain->n && host.to - at < ADDRESS_MAX &&
           !ends_address(plain->bytes[host.to]) && plain->bytes[host.to] != '\\') {
        has_mark |= plain->bytes[host.to] == '@';
        host.to++;
    }
    if (host.to == host.from || text_at(plain, host.to) != '\\') {
        return 0;
    }
    return has_mark || numeric_form(plain, host) > 0 || text_has(plain, host.to, "\\davwwwroot")
               ? host.to
               : 0;
}

void addresses_note(const struct text *plain, unsigned view, const struct known_addresses *known,
                    struct signals *signals)
{
    static const char *const schemes[] = {"https", "http", "ftp", "file", "dav", "davs", "ftps"};

    for (size_t i = 0; i < plain->n; i++) {
        struct address address = {.is_plain = false};
        size_t from = i;

        if (plain->bytes[i] == '\\' && text_at(plain, i + 1) == '\\' &&
            (i == 0 || plain->bytes[i - 1] != '\\')) {
            size_t end = share_end(plain, i);

            if (end > 0) {
                signals_add(signals, FACT_ADDRESS_SHARE, view, plain, i, end);
            }
            continue;
        }
        if (plain->bytes[i] != ':' || !(text_has(plain, i, "://") || text_has(plain, i, ":\\\\"))) {
            continue;
        }
        for (size_t s = 0; s < sizeof(schemes) / sizeof(schemes[0]); s++) {
            size_t n = strlen(schemes[s]);

            if (i >= n && text_has(plain, i - n, schemes[s])) {
                from = i - n;
                address.is_plain =
                    strcmp(schemes[s], "http") == 0 || strcmp(schemes[s], "ftp") == 0;
                break;
            }
        }
        if (from == i) {
            continue;
        }
        parts_find(plain, i + 3, &address);
        note(plain, from, &address, view, known, signals);
        i = address.end > i ? address.end - 1 : i;
    }
}

void address_note_bare(const struct text *plain, size_t from, size_t to, unsigned view,
                       const struct known_addresses *known, struct signals *signals)
{
    struct address address = {.is_plain = true};

    parts_find(plain, from, &address);
    if (address.end > to) {
        address.end = to;
    }
    note(plain, from, &address, view, known, signals);
}
