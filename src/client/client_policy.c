/*
 * Reads client.conf: `key = value` lines and # comments.
 *
 *   not-installed = allow|warn|deny     there is not even a folder for the socket
 *   down = allow|warn|deny              it is set up and does not answer
 *   down.KIND = allow|warn|deny         for one kind, or for prefix.*; the longest wins
 *   broker-uid = N                      whose broker is believed, beside root's and one's own
 *   locked = yes|no                     yes: the environment decides nothing
 *
 * A broken file must not make anything weaker, and must not stay unnoticed. So whatever is wrong
 * is kept, with its line, to be shown with every answer that rests on the policy, and such a
 * policy warns wherever it would have let pass. The file has to belong to root or to the process's
 * own user and must not be writable by everybody.
 *
 * Allocates nothing: it is also read when there is no memory.
 */
#include "client/client_policy.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pes/enums.h>

#include "base/cleanup.h"
#include "base/safe_text.h"
#include "client/peer.h"
#include "wire/name_table.h"
#include "wire/names.h"

/* What is being parsed. */
struct cursor {
    struct client_policy *policy;
    const char *name;
    unsigned line;
    uint32_t seen; /* bit i: key i was there */
};

/* One line, cut in two; not terminated. */
struct pair {
    const char *key, *value;
    size_t n_key, n_value;
};

__attribute__((format(printf, 2, 3))) static void complain(struct cursor *at, const char *format,
                                                           ...)
{
    char *to = at->policy->error;
    size_t n_to = sizeof(at->policy->error);
    va_list args;
    int n;

    if (to[0]) {
        return; /* the first one is enough to go and look */
    }
    n = (int)safe_text(to, n_to / 2, at->name, strlen(at->name));
    n += snprintf(to + n, n_to - (size_t)n, ":%u: ", at->line);
    va_start(args, format);
    vsnprintf(to + n, n_to - (size_t)n, format, args);
    va_end(args);
}

static void complain_about(struct cursor *at, const char *what, const char *text, size_t n_text)
{
    char shown[64];

    safe_text_quoted(shown, sizeof(shown), text, n_text);
    complain(at, "%s '%s'", what, shown);
}

static bool is_text(const char *text, size_t n_text, const char *expected)
{
    return strlen(expected) == n_text && memcmp(text, expected, n_text) == 0;
}

static void set_wish(struct cursor *at, const struct pair *pair, uint32_t *ret_wish)
{
    if (is_text(pair->value, pair->n_value, "allow")) {
        *ret_wish = PES_FAIL_WISH_ALLOW;
    } else if (is_text(pair->value, pair->n_value, "warn")) {
        *ret_wish = PES_FAIL_WISH_WARN;
    } else if (is_text(pair->value, pair->n_value, "deny")) {
        *ret_wish = PES_FAIL_WISH_DENY;
    } else {
        complain_about(at, "expected allow, warn or deny, not", pair->value, pair->n_value);
        *ret_wish = PES_FAIL_WISH_WARN;
    }
}

static void set_not_installed(struct cursor *at, const struct pair *pair)
{
    set_wish(at, pair, &at->policy->not_installed);
}

static void set_down(struct cursor *at, const struct pair *pair)
{
    set_wish(at, pair, &at->policy->down);
}

static void set_broker_uid(struct cursor *at, const struct pair *pair)
{
    uint64_t uid = 0;

    for (size_t i = 0; i < pair->n_value; i++) {
        if (!isdigit((unsigned char)pair->value[i]) || uid > UINT32_MAX) {
            uid = UINT64_MAX;
            break;
        }
        uid = uid * 10 + (uint64_t)(pair->value[i] - '0');
    }
    if (pair->n_value == 0 || uid >= UINT32_MAX) {
        complain_about(at, "expected a user id, not", pair->value, pair->n_value);
        return;
    }
    at->policy->has_broker_uid = true;
    at->policy->broker_uid = (uid_t)uid;
}

static void set_locked(struct cursor *at, const struct pair *pair)
{
    if (!is_text(pair->value, pair->n_value, "yes") && !is_text(pair->value, pair->n_value, "no")) {
        complain_about(at, "expected yes or no, not", pair->value, pair->n_value);
    }
    at->policy->is_locked = !is_text(pair->value, pair->n_value, "no");
}

/* A name of a kind, or a prefix that at least one kind has. */
static bool is_kind_pattern(const char *pattern)
{
    for (size_t i = 0; i < wire_n_kinds; i++) {
        if (kind_pattern_matches(pattern, wire_kinds[i].name)) {
            return true;
        }
    }
    return false;
}

static void add_rule(struct cursor *at, const char *kind, size_t n_kind, const struct pair *pair)
{
    struct client_policy *policy = at->policy;
    struct client_policy_rule rule = {0};

    if (policy->n_rules == CLIENT_POLICY_RULES_MAX) {
        complain(at, "more than %d kinds", CLIENT_POLICY_RULES_MAX);
        return;
    }
    if (n_kind >= sizeof(rule.kind)) {
        complain_about(at, "unknown kind", kind, n_kind);
        return;
    }
    memcpy(rule.kind, kind, n_kind);
    if (strlen(rule.kind) != n_kind || !is_kind_pattern(rule.kind)) {
        complain_about(at, "unknown kind", kind, n_kind);
        return;
    }
    for (size_t i = 0; i < policy->n_rules; i++) {
        if (strcmp(policy->rules[i].kind, rule.kind) == 0) {
            complain_about(at, "a second value for kind", kind, n_kind);
            return;
        }
    }
    set_wish(at, pair, &rule.wish);
    policy->rules[policy->n_rules++] = rule;
}

static const struct key {
    const char *name;
    void (*set)(struct cursor *at, const struct pair *pair);
} keys[] = {
    {"not-installed", set_not_installed},
    {"down", set_down},
    {"broker-uid", set_broker_uid},
    {"locked", set_locked},
};

static void parse_pair(struct cursor *at, const struct pair *pair)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!is_text(pair->key, pair->n_key, keys[i].name)) {
            continue;
        }
        if (at->seen & (1u << i)) {
            complain_about(at, "a second value for", pair->key, pair->n_key);
            return;
        }
        at->seen |= 1u << i;
        keys[i].set(at, pair);
        return;
    }
    if (pair->n_key > 5 && memcmp(pair->key, "down.", 5) == 0) {
        add_rule(at, pair->key + 5, pair->n_key - 5, pair);
        return;
    }
    complain_about(at, "unknown key", pair->key, pair->n_key);
}

static void trim(const char **text, size_t *n_text)
{
    while (*n_text > 0 && isspace((unsigned char)(*text)[0])) {
        (*text)++;
        (*n_text)--;
    }
    while (*n_text > 0 && isspace((unsigned char)(*text)[*n_text - 1])) {
        (*n_text)--;
    }
}

static void parse_line(struct cursor *at, const char *line, size_t n_line)
{
    const char *comment = memchr(line, '#', n_line);
    struct pair pair = {.key = line};
    const char *equals;

    if (comment) {
        n_line = (size_t)(comment - line);
    }
    trim(&line, &n_line);
    if (n_line == 0) {
        return;
    }
    equals = memchr(line, '=', n_line);
    if (!equals) {
        complain_about(at, "expected key = value, not", line, n_line);
        return;
    }
    pair.key = line;
    pair.n_key = (size_t)(equals - line);
    pair.value = equals + 1;
    pair.n_value = n_line - pair.n_key - 1;
    trim(&pair.key, &pair.n_key);
    trim(&pair.value, &pair.n_value);
    parse_pair(at, &pair);
}

void client_policy_parse(struct client_policy *ret_policy, const char *name, const char *text,
                         size_t n_text)
{
    struct cursor at = {.policy = ret_policy, .name = name};

    *ret_policy = (struct client_policy){.is_installed = true};
    while (n_text > 0) {
        const char *end = memchr(text, '\n', n_text);
        size_t n_line = end ? (size_t)(end - text) : n_text;
        size_t n_used = end ? n_line + 1 : n_line;

        at.line++;
        parse_line(&at, text, n_line);
        text += n_used;
        n_text -= n_used;
    }
}

static const char is_missing[] = "is missing";

/* A file that was to say what holds cannot be used: nothing is milder for it. */
static void refuse_file(struct client_policy *policy, const char *name, const char *why)
{
    size_t n;

    policy->is_installed = true;
    policy->is_lost = true;
    n = safe_text(policy->error, sizeof(policy->error) / 2, name, strlen(name));
    snprintf(policy->error + n, sizeof(policy->error) - n, ": %s", why);
}

/* Whether nobody can have written it who may not. */
static bool is_owner_trusted(const struct stat *st)
{
    if (st->st_mode & S_IWOTH) {
        return false;
    }
    /* In a user namespace, root outside shows as the overflow uid. */
    return st->st_uid == 0 || st->st_uid == geteuid() ||
           (st->st_uid == peer_overflow_uid() && !peer_is_identity_map());
}

/* Reads a policy from a file. Returns NULL, or why it cannot be used; `ret_policy` is a zeroed one
 * then. */
static const char *load_file(struct client_policy *ret_policy, const char *path)
{
    char text[CLIENT_POLICY_FILE_BYTES + 1];
    CLEANUP(closep) int fd = -1;
    size_t n_text = 0;
    struct stat st;
    ssize_t n;

    *ret_policy = (struct client_policy){0};
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? is_missing : strerrordesc_np(errno);
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        return "is not a regular file";
    }
    if (!is_owner_trusted(&st)) {
        return "could have been written by anybody";
    }
    do {
        n = pread(fd, text + n_text, sizeof(text) - n_text, (off_t)n_text);
        n_text += n > 0 ? (size_t)n : 0;
    } while ((n < 0 && errno == EINTR) || (n > 0 && n_text < sizeof(text)));
    if (n < 0 || n_text > CLIENT_POLICY_FILE_BYTES) {
        return n < 0 ? "cannot be read" : "is too large";
    }
    client_policy_parse(ret_policy, path, text, n_text);
    return NULL;
}

void client_policy_load(struct client_policy *ret_policy, const char *system_path,
                        const char *other_path)
{
    const char *why = load_file(ret_policy, system_path);
    struct client_policy other;

    if (why && why != is_missing) {
        refuse_file(ret_policy, system_path, why);
    }
    /* One that cannot be understood may have meant to be locked. */
    if (ret_policy->error[0]) {
        ret_policy->is_locked = true;
    }
    if (!other_path || ret_policy->is_locked) {
        return;
    }
    why = load_file(&other, other_path);
    if (why) {
        refuse_file(ret_policy, other_path, why); /* which leaves the system's in force */
        return;
    }
    *ret_policy = other;
    ret_policy->is_locked = false; /* that is the system's to say */
}

void client_policy_load_default(struct client_policy *ret_policy)
{
    const char *other = secure_getenv("PES_CLIENT_POLICY");

    client_policy_load(ret_policy, PES_CONFDIR "/client.conf", other && other[0] ? other : NULL);
}

static uint32_t stricter(uint32_t a, uint32_t b)
{
    /* allow < warn < deny in the registry. */
    return a > b ? a : b;
}

uint32_t client_policy_down(const struct client_policy *policy, uint32_t kind)
{
    const struct kind_info *info = kind_by_number(kind);
    uint32_t wish = policy->down;
    size_t n_best = 0;

    for (size_t i = 0; info && i < policy->n_rules; i++) {
        const struct client_policy_rule *rule = &policy->rules[i];
        size_t n = strlen(rule->kind);

        if (n > n_best && kind_pattern_matches(rule->kind, info->name)) {
            n_best = n;
            wish = rule->wish;
        }
    }
    if (wish == PES_FAIL_WISH_NONE) {
        /* A kind that we do not know may well execute. */
        wish = !info || info->is_execution ? PES_FAIL_WISH_WARN : PES_FAIL_WISH_ALLOW;
    }
    return policy->error[0] ? stricter(wish, PES_FAIL_WISH_WARN) : wish;
}

uint32_t client_policy_not_installed(const struct client_policy *policy)
{
    uint32_t wish = stricter(policy->not_installed, PES_FAIL_WISH_ALLOW);

    return policy->error[0] ? stricter(wish, PES_FAIL_WISH_WARN) : wish;
}
