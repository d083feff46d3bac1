/*
 * Configuration files before libconfuse sees them.
 *
 * libconfuse parses the language; here is what has to be done around it, each of which was seen
 * with version 3.3: it counts lines wrongly after a comment, so comments are blanked first; it
 * expands ${VARIABLES} from the environment, which is no business of a daemon's configuration; it
 * takes a section or a comment that is still open at the end of the file; it drops * and + from
 * a value without quotes ("script.*" would become "script."); it cuts strings at an escaped NUL;
 * and it stops at the first key that it doesn't know, while we want to name them all,
 * so such a statement can be blanked and the text parsed again.
 *
 * The scanner below knows words, strings and braces, nothing of keys. What it lets through is for
 * libconfuse to judge.
 */
#include "launcher/config_text.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/utf8.h"

static int check_owner(const char *file, const struct stat *st, struct problems *problems)
{
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        problems_add(problems, file, 0, "belongs to uid %u; it must belong to root",
                     (unsigned)st->st_uid);
        return CONFIG_TEXT_E_BAD;
    }
    if (st->st_mode & (S_IWGRP | S_IWOTH)) {
        problems_add(problems, file, 0, "others may write it; chmod go-w it");
        return CONFIG_TEXT_E_BAD;
    }
    return 0;
}

static int read_all(int fd, char *buffer, size_t n_buffer, size_t *ret_n)
{
    size_t n = 0;

    while (n < n_buffer) {
        ssize_t got = read(fd, buffer + n, n_buffer - n);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -errno;
        }
        if (got == 0) {
            break;
        }
        n += (size_t)got;
    }
    *ret_n = n;
    return 0;
}

int config_text_read(const char *file, int is_strict, struct problems *problems, char **ret_text,
                     size_t *ret_n_text)
{
    CLEANUP(freep) char *text = NULL;
    CLEANUP(closep) int fd = -1;
    struct stat st;
    size_t n_text = 0;
    int r;

    /* O_NONBLOCK: a FIFO must not hold us up before fstat() tells. */
    fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0) {
        problems_add(problems, file, 0, "cannot be read: %s", strerror(errno));
        return CONFIG_TEXT_E_BAD;
    }
    if (!S_ISREG(st.st_mode)) {
        problems_add(problems, file, 0, "is not a regular file");
        return CONFIG_TEXT_E_BAD;
    }
    if (is_strict) {
        r = check_owner(file, &st, problems);
        if (r != 0) {
            return r;
        }
    }
    text = malloc(CONFIG_FILE_BYTES_MAX + 2);
    if (!text) {
        return -ENOMEM;
    }
    r = read_all(fd, text, CONFIG_FILE_BYTES_MAX + 1, &n_text);
    if (r < 0) {
        problems_add(problems, file, 0, "cannot be read: %s", strerror(-r));
        return CONFIG_TEXT_E_BAD;
    }
    if (n_text > CONFIG_FILE_BYTES_MAX) {
        problems_add(problems, file, 0, "is larger than %d KiB; no configuration needs that",
                     CONFIG_FILE_BYTES_MAX / 1024);
        return CONFIG_TEXT_E_BAD;
    }
    text[n_text] = '\0';
    *ret_text = TAKE_PTR(text);
    *ret_n_text = n_text;
    return 0;
}

/* Says what kind of bad character starts at `at`, and returns its length; 0 if it is fine. */
static size_t bad_character(const char *text, size_t n_text, size_t at, const char **ret_what)
{
    unsigned char byte = (unsigned char)text[at];
    uint32_t code;
    size_t n = utf8_decode(text + at, n_text - at, &code);

    if (n == 0) {
        *ret_what = "a byte that is not UTF-8; save the file as UTF-8";
        return 1;
    }
    if (byte == '\0') {
        *ret_what = "a NUL byte; remove it";
        return 1;
    }
    if (byte == '\r') {
        *ret_what = "a carriage return; save the file with Unix line ends";
        return 1;
    }
    if ((byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f) {
        *ret_what = "a control character; remove it";
        return 1;
    }
    if (code == 0xfeff) {
        *ret_what = "a byte order mark; save the file without";
        return n;
    }
    return 0;
}

static int check_characters(const char *file, const char *text, size_t n_text,
                            struct problems *problems)
{
    const char *last_what = NULL;
    uint32_t last_line = 0;
    uint32_t line = 1;
    int r = 0;

    for (size_t at = 0; at < n_text;) {
        const char *what = NULL;
        size_t n = bad_character(text, n_text, at, &what);

        /* One line of a binary file would otherwise give a hundred problems. */
        if (n > 0 && (line != last_line || what != last_what)) {
            problems_add(problems, file, line, "holds %s", what);
            last_what = what;
            last_line = line;
            r = CONFIG_TEXT_E_BAD;
        }
        if (text[at] == '\n') {
            line++;
        }
        at += n > 0 ? n : 1;
        while (at < n_text && n == 0 && ((unsigned char)text[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    return r;
}

struct scanner {
    const char *file;
    char *text;
    size_t n_text;
    size_t at;
    uint32_t line;
    uint32_t open_lines[8]; /* where the braces that are open began */
    size_t n_open;
    struct problems *problems;
    bool is_bad;
};

static char peek(const struct scanner *s, size_t ahead)
{
    return s->at + ahead < s->n_text ? s->text[s->at + ahead] : '\0';
}

static void bad(struct scanner *s, uint32_t line, const char *what)
{
    problems_add(s->problems, s->file, line, "%s", what);
    s->is_bad = true;
}

static void blank_one(struct scanner *s)
{
    if (s->text[s->at] == '\n') {
        s->line++;
    } else {
        s->text[s->at] = ' ';
    }
    s->at++;
}

static void blank_line_comment(struct scanner *s)
{
    while (s->at < s->n_text && s->text[s->at] != '\n') {
        blank_one(s);
    }
}

static void blank_block_comment(struct scanner *s)
{
    uint32_t line = s->line;

    blank_one(s);
    blank_one(s);
    while (s->at < s->n_text) {
        if (peek(s, 0) == '*' && peek(s, 1) == '/') {
            blank_one(s);
            blank_one(s);
            return;
        }
        blank_one(s);
    }
    bad(s, line, "this comment is never closed; end it with */");
}

static void pass_string(struct scanner *s)
{
    char quote = s->text[s->at];
    uint32_t line = s->line;

    s->at++;
    while (s->at < s->n_text && s->text[s->at] != '\n') {
        char c = s->text[s->at];

        if (c == quote) {
            s->at++;
            return;
        }
        if (c == '\\' && quote == '"') {
            if (peek(s, 1) != '"' && peek(s, 1) != '\\') {
                bad(s, line, "a backslash in a string; only \\\" and \\\\ are known");
            }
            s->at++;
        } else if (c == '$' && quote == '"' && peek(s, 1) == '{') {
            bad(s, line, "a variable in a string; write its value, or use single quotes");
        }
        if (s->at < s->n_text && s->text[s->at] != '\n') {
            s->at++;
        }
    }
    bad(s, line, "this string is not closed on its line");
}

static void pass_brace(struct scanner *s)
{
    const size_t n_max = sizeof(s->open_lines) / sizeof(s->open_lines[0]);

    if (s->text[s->at] == '{') {
        if (s->n_open == n_max) {
            bad(s, s->line, "braces are nested too deeply");
            s->at = s->n_text;
            s->n_open = 0;
            return;
        }
        s->open_lines[s->n_open++] = s->line;
    } else if (s->n_open > 0) {
        s->n_open--;
    } else {
        bad(s, s->line, "this brace closes nothing; remove it");
    }
    s->at++;
}

static bool is_word_byte(char c)
{
    return c != '\0' && !strchr(" \t\n=+{}(),\"'", c);
}

static void scan(struct scanner *s)
{
    while (s->at < s->n_text) {
        char c = s->text[s->at];
        bool starts = s->at == 0 || !is_word_byte(s->text[s->at - 1]);

        if (c == '#' || (starts && c == '/' && peek(s, 1) == '/')) {
            blank_line_comment(s);
        } else if (starts && c == '/' && peek(s, 1) == '*') {
            blank_block_comment(s);
        } else if (c == '*' || c == '+') {
            bad(s, s->line,
                c == '*' ? "a * outside quotes; put the value in quotes"
                         : "a + outside quotes; put the value in quotes");
            s->at++;
        } else if (c == '"' || c == '\'') {
            pass_string(s);
        } else if (c == '{' && s->at > 0 && s->text[s->at - 1] == '$') {
            bad(s, s->line, "a variable; write its value");
            while (s->at < s->n_text && s->text[s->at] != '}' && s->text[s->at] != '\n') {
                s->at++;
            }
            s->at += peek(s, 0) == '}';
        } else if (c == '{' || c == '}') {
            pass_brace(s);
        } else {
            if (c == '\n') {
                s->line++;
            }
            s->at++;
        }
    }
}

int config_text_prepare(const char *file, char *text, size_t n_text, struct problems *problems)
{
    struct scanner s = {
        .file = file,
        .text = text,
        .n_text = n_text,
        .line = 1,
        .problems = problems,
    };

    if (n_text > CONFIG_FILE_BYTES_MAX) {
        problems_add(problems, file, 0, "is larger than %d KiB; no configuration needs that",
                     CONFIG_FILE_BYTES_MAX / 1024);
        return CONFIG_TEXT_E_BAD;
    }
    if (check_characters(file, text, n_text, problems) != 0) {
        return CONFIG_TEXT_E_BAD;
    }
    scan(&s);
    if (s.n_open > 0 && !s.is_bad) {
        bad(&s, s.open_lines[s.n_open - 1], "this brace is never closed; add a }");
    }
    return s.is_bad ? CONFIG_TEXT_E_BAD : 0;
}

/* Where `word` stands alone on `line`; n_text if nowhere. */
static size_t find_word(const char *text, size_t n_text, uint32_t line, const char *word)
{
    size_t n_word = strlen(word);
    size_t at = 0;

    for (uint32_t l = 1; l < line && at < n_text; at++) {
        if (text[at] == '\n') {
            l++;
        }
    }
    for (; n_word > 0 && at + n_word <= n_text && text[at] != '\n'; at++) {
        bool starts = at == 0 || !is_word_byte(text[at - 1]);
        bool ends = at + n_word == n_text || !is_word_byte(text[at + n_word]);

        if (starts && ends && memcmp(text + at, word, n_word) == 0) {
            return at;
        }
    }
    return n_text;
}

/* The end of the string, the braced block or the word that starts at `at`. */
static size_t value_end(const char *text, size_t n_text, size_t at)
{
    size_t depth = 0;

    if (at < n_text && text[at] != '{' && text[at] != '"' && text[at] != '\'') {
        while (at < n_text && is_word_byte(text[at])) {
            at++;
        }
        return at;
    }
    while (at < n_text) {
        char c = text[at++];

        if (c == '"' || c == '\'') {
            while (at < n_text && text[at] != c) {
                at += text[at] == '\\' && c == '"' && at + 1 < n_text ? 2 : 1;
            }
            at++;
        }
        depth += c == '{';
        depth -= c == '}';
        if (depth == 0) {
            break;
        }
    }
    return at < n_text ? at : n_text;
}

static size_t skip_space(const char *text, size_t n_text, size_t at, const char *space)
{
    while (at < n_text && strchr(space, text[at])) {
        at++;
    }
    return at;
}

int config_text_blank(char *text, size_t n_text, uint32_t line, const char *word)
{
    size_t start = find_word(text, n_text, line, word);
    size_t at = start + strlen(word);
    size_t next;

    if (start >= n_text) {
        return CONFIG_TEXT_E_BAD;
    }
    if (at < n_text && (text[at] == '"' || text[at] == '\'')) {
        at++; /* the key itself was quoted */
    }
    if (start > 0 && (text[start - 1] == '"' || text[start - 1] == '\'')) {
        start--;
    }
    next = skip_space(text, n_text, at, " \t\n");
    if (next < n_text && (text[next] == '=' || text[next] == '+')) {
        at = skip_space(text, n_text, next, "+= \t\n");
        at = value_end(text, n_text, at);
    } else {
        /* A section, perhaps with a title; or a lone word. */
        if (next < n_text && text[next] != '{' && text[next] != '}') {
            size_t title_end = value_end(text, n_text, next);
            size_t brace = skip_space(text, n_text, title_end, " \t\n");

            next = brace < n_text && text[brace] == '{' ? brace : next;
        }
        at = next < n_text && text[next] == '{' ? value_end(text, n_text, next) : at;
    }
    for (size_t i = start; i < at && i < n_text; i++) {
        if (text[i] != '\n') {
            text[i] = ' ';
        }
    }
    return 0;
}
