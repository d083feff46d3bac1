/*
 * stix_pattern: what a pattern of STIX 2.1 says about whole files.
 *
 * Taken is only what a hash list can say without saying more than the pattern does:
 *
 *   [file:hashes.'SHA-256' = 'X']                  one file
 *   [file:hashes.MD5 = 'X' OR file:hashes.MD5 = 'Y'] OR [...]    several
 *   [file:hashes.MD5 IN ('X', 'Y')]                several
 *   [file:hashes.MD5 = 'X' AND file:hashes.'SHA-1' = 'Y']        one file, two of its hashes
 *
 * A pattern that also asks for a name, a size, another object, an order or a time, or says NOT,
 * needs more than a hash to match and is left as a whole; so is one with hashes of other
 * algorithms. AND and OR in one observation without parentheses bind as in the specification: AND
 * first.
 */
#include "providers/hashlist/build/stix_pattern.h"

#include <string.h>
#include <strings.h>

#define FILES_MAX 4096u
#define TOKEN_MAX 160u

enum token_type {
    TOKEN_END = 0,
    TOKEN_BROKEN,
    TOKEN_WORD, /* path, keyword, number */
    TOKEN_TEXT, /* in quotes, without them */
    TOKEN_SIGN, /* one of [ ] ( ) = , or anything else */
};

struct pattern {
    const char *at;
    const char *end;
    enum token_type type;
    char token[TOKEN_MAX];
    size_t n_token; /* TOKEN_MAX: longer than anything that matters here */
    struct file_hashes files[FILES_MAX];
    size_t n_files;
    bool is_other;
    bool is_broken;
};

static void token_put(struct pattern *pattern, char c)
{
    if (pattern->n_token < TOKEN_MAX) {
        pattern->token[pattern->n_token++] = c;
    }
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_-:.*", c));
}

/* A quoted text, `at` being behind the quote. */
static void quoted_next(struct pattern *pattern)
{
    while (pattern->at < pattern->end && *pattern->at != '\'') {
        if (*pattern->at == '\\' && pattern->at + 1 < pattern->end) {
            pattern->at++;
        }
        token_put(pattern, *pattern->at++);
    }
    if (pattern->at == pattern->end) {
        pattern->type = TOKEN_BROKEN;
        return;
    }
    pattern->at++;
}

/* A word goes on behind a quoted part of it: file:hashes.'SHA-256'. */
static void token_next(struct pattern *pattern)
{
    pattern->n_token = 0;
    while (pattern->at < pattern->end && strchr(" \t\r\n", *pattern->at)) {
        pattern->at++;
    }
    if (pattern->at == pattern->end) {
        pattern->type = TOKEN_END;
    } else if (*pattern->at == '\'') {
        pattern->type = TOKEN_TEXT;
        pattern->at++;
        quoted_next(pattern);
    } else if (is_word_char(*pattern->at)) {
        pattern->type = TOKEN_WORD;
        while (pattern->at < pattern->end && pattern->type == TOKEN_WORD) {
            if (is_word_char(*pattern->at)) {
                token_put(pattern, *pattern->at++);
            } else if (*pattern->at == '\'' && pattern->at[-1] == '.') {
                pattern->at++;
                quoted_next(pattern);
            } else {
                break;
            }
        }
    } else {
        pattern->type = TOKEN_SIGN;
        token_put(pattern, *pattern->at++);
    }
}

static bool is_sign(const struct pattern *pattern, char sign)
{
    return pattern->type == TOKEN_SIGN && pattern->token[0] == sign;
}

static bool is_keyword(const struct pattern *pattern, const char *word)
{
    return pattern->type == TOKEN_WORD && pattern->n_token == strlen(word) &&
           strncasecmp(pattern->token, word, pattern->n_token) == 0;
}

/* The algorithm of the path that the token is; -1: not a path to a file's hash that lists have. */
static int path_algorithm(const struct pattern *pattern)
{
    static const struct {
        const char *name;
        int algorithm;
    } names[] = {{"sha-256", LIST_SHA256},
                 {"sha256", LIST_SHA256},
                 {"sha-1", LIST_SHA1},
                 {"sha1", LIST_SHA1},
                 {"md5", LIST_MD5}};
    static const char prefix[] = "file:hashes.";
    size_t n_prefix = sizeof(prefix) - 1;

    if (pattern->type != TOKEN_WORD || pattern->n_token <= n_prefix ||
        memcmp(pattern->token, prefix, n_prefix) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (pattern->n_token - n_prefix == strlen(names[i].name) &&
            strncasecmp(pattern->token + n_prefix, names[i].name, strlen(names[i].name)) == 0) {
            return names[i].algorithm;
        }
    }
    return -1;
}

/* The text that the token is becomes a hash of the newest file. */
static void value_take(struct pattern *pattern, int algorithm)
{
    struct file_hashes *file = &pattern->files[pattern->n_files - 1];

    if (pattern->type != TOKEN_TEXT || file->has[algorithm] ||
        hash_take_as(file, (enum list_algorithm)algorithm, pattern->token, pattern->n_token) !=
            HASH_GOOD) {
        /* The same algorithm twice, joined by AND: no file has two. */
        pattern->is_broken =
            pattern->is_broken || pattern->type != TOKEN_TEXT || !file->has[algorithm];
        pattern->is_other = true;
    }
    token_next(pattern);
}

static void file_begin(struct pattern *pattern)
{
    if (pattern->n_files == FILES_MAX) {
        pattern->is_other = true;
        pattern->is_broken = true; /* to be told, not passed over */
        return;
    }
    pattern->files[pattern->n_files++] = (struct file_hashes){.has = {false}};
}

/* ('X', 'Y'): the first is of the file that was begun; each other one begins its own. */
static void set_take(struct pattern *pattern, int algorithm, bool is_joined)
{
    bool is_first = true;

    if (!is_sign(pattern, '(')) {
        pattern->is_broken = true;
        return;
    }
    do {
        token_next(pattern);
        if (!is_first) {
            /* One of these and something else: no single hash says that. */
            pattern->is_other = pattern->is_other || is_joined;
            file_begin(pattern);
        }
        is_first = false;
        value_take(pattern, algorithm);
    } while (is_sign(pattern, ',') && !pattern->is_other);
    if (!is_sign(pattern, ')')) {
        pattern->is_other = true;
        return;
    }
    token_next(pattern);
}

/* PATH = 'X', or PATH IN ('X', ...). */
static void comparison_take(struct pattern *pattern, bool is_joined)
{
    int algorithm = path_algorithm(pattern);

    if (algorithm < 0) {
        pattern->is_other = true;
        return;
    }
    token_next(pattern);
    if (is_sign(pattern, '=')) {
        token_next(pattern);
        /* '==' is not in the language, but is in feeds. */
        if (is_sign(pattern, '=')) {
            token_next(pattern);
        }
        value_take(pattern, algorithm);
    } else if (is_keyword(pattern, "in")) {
        token_next(pattern);
        set_take(pattern, algorithm, is_joined);
        /* Nothing may be joined to a set of several either. */
        pattern->is_other = pattern->is_other || is_keyword(pattern, "and");
    } else {
        pattern->is_other = true;
    }
}

/* [ A AND B OR C ] */
static void observation_take(struct pattern *pattern)
{
    bool is_joined = false;

    do {
        token_next(pattern);
        if (!is_joined) {
            file_begin(pattern);
        }
        if (!pattern->is_other) {
            comparison_take(pattern, is_joined);
        }
        is_joined = is_keyword(pattern, "and");
    } while (!pattern->is_other && !pattern->is_broken && (is_joined || is_keyword(pattern, "or")));
    if (!is_sign(pattern, ']')) {
        pattern->is_other = true;
        return;
    }
    token_next(pattern);
}

static void pattern_take(struct pattern *pattern)
{
    token_next(pattern);
    if (!is_sign(pattern, '[')) {
        pattern->is_other = true; /* a parenthesis, at best */
        pattern->is_broken = !is_sign(pattern, '(');
        return;
    }
    for (;;) {
        observation_take(pattern);
        if (pattern->is_other || pattern->is_broken || pattern->type == TOKEN_END) {
            return;
        }
        if (!is_keyword(pattern, "or")) {
            pattern->is_other = true; /* AND, FOLLOWEDBY, WITHIN, ... */
            return;
        }
        token_next(pattern);
        if (!is_sign(pattern, '[')) {
            pattern->is_other = true;
            return;
        }
    }
}

/* Quotes and brackets that fit: tells a pattern that is not for us from one that is broken. */
static bool is_balanced(const char *text, const char *end)
{
    int depth = 0;
    bool is_in_quotes = false;

    for (; text < end; text++) {
        if (is_in_quotes && *text == '\\') {
            text++;
        } else if (*text == '\'') {
            is_in_quotes = !is_in_quotes;
        } else if (!is_in_quotes && (*text == '[' || *text == ']')) {
            depth += *text == '[' ? 1 : -1;
            if (depth < 0) {
                return false;
            }
        }
    }
    return depth == 0 && !is_in_quotes;
}

int stix_pattern_read(const char *text, size_t n_text, stix_file_fn take, void *data,
                      enum stix_outcome *ret_outcome)
{
    static struct pattern pattern;

    pattern.at = text;
    pattern.end = text + n_text;
    pattern.n_files = 0;
    pattern.is_other = false;
    pattern.is_broken = false;
    pattern_take(&pattern);
    if (pattern.is_broken || !is_balanced(text, text + n_text)) {
        *ret_outcome = STIX_BROKEN;
        return 0;
    }
    if (pattern.is_other) {
        *ret_outcome = STIX_OTHER;
        return 0;
    }
    *ret_outcome = STIX_GOOD;
    for (size_t i = 0; i < pattern.n_files; i++) {
        int r = take(data, &pattern.files[i]);

        if (r < 0) {
            return r;
        }
    }
    return 0;
}
