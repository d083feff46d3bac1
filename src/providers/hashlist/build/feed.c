/*
 * feed: the counts of one input, and the way of its hashes into the list.
 *
 * For every hash that an input states exactly one count goes up: accepted, duplicate, suppressed,
 * refused or ignored. A row of several hashes of one file counts once.
 *
 * Of such a row only the strongest hash is listed, since the provider computes every digest from
 * the content anyway; but each of them may be on a warning list, and then the row is suppressed.
 */
#include "providers/hashlist/build/feed.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *feed_role_name(enum feed_role role)
{
    switch (role) {
    case FEED_DENY:
        return "deny";
    case FEED_ALLOW:
        return "allow";
    case FEED_WARNING:
        return "warning";
    case FEED_TEST:
        return "test";
    }
    return "unknown";
}

const char *feed_format_name(enum feed_format format)
{
    static const char *const names[FEED_N_FORMATS] = {"auto", "plain", "csv",        "clamav",
                                                      "misp", "stix",  "warninglist"};

    return names[format];
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._:/!-", c));
}

/* Names as they may be shown: other characters become '_', once for a run of them. */
static size_t name_clean(char ret_name[LIST_NAME_BYTES_MAX], const char *name, size_t n_name)
{
    size_t n = 0;

    for (size_t i = 0; i < n_name && n < LIST_NAME_BYTES_MAX; i++) {
        if (is_name_char(name[i])) {
            ret_name[n++] = name[i];
        } else if (n > 0 && ret_name[n - 1] != '_') {
            ret_name[n++] = '_';
        }
    }
    while (n > 0 && ret_name[n - 1] == '_') {
        n--;
    }
    return n;
}

static bool is_warned(const struct feed *feed, const struct file_hashes *hashes)
{
    for (int a = 0; a < LIST_N_ALGORITHMS; a++) {
        if (hashes->has[a] &&
            entries_find(&feed->sink->warned, (enum list_algorithm)a, hashes->digests[a])) {
            return true;
        }
    }
    return false;
}

static int list_strongest(struct feed *feed, const struct file_hashes *hashes,
                          enum list_action action, const char *name, size_t n_name)
{
    char clean[LIST_NAME_BYTES_MAX];
    size_t n = name_clean(clean, name, n_name);
    uint32_t label;
    int r = n > 0 ? entries_label(&feed->sink->listed, feed->source, clean, n, &label)
                  : entries_label(&feed->sink->listed, feed->source, feed->name, strlen(feed->name),
                                  &label);

    for (int a = 0; a < LIST_N_ALGORITHMS && r == 0; a++) {
        if (hashes->has[a]) {
            return entries_add(&feed->sink->listed, (enum list_algorithm)a, hashes->digests[a],
                               action, label);
        }
    }
    return r;
}

static int warn_of_all(struct feed *feed, const struct file_hashes *hashes)
{
    int r = 0;

    for (int a = 0; a < LIST_N_ALGORITHMS && r == 0; a++) {
        if (hashes->has[a]) {
            r = entries_add(&feed->sink->warned, (enum list_algorithm)a, hashes->digests[a],
                            LIST_ALLOW, feed->source);
        }
    }
    return r;
}

int feed_take(struct feed *feed, const struct file_hashes *hashes, const char *name, size_t n_name)
{
    int r = 0;

    switch (feed->role) {
    case FEED_DENY:
        if (is_warned(feed, hashes)) {
            feed->n_suppressed++;
            return 0;
        }
        r = list_strongest(feed, hashes, LIST_DENY, name, n_name);
        break;
    case FEED_ALLOW:
        r = warn_of_all(feed, hashes);
        r = r < 0 ? r : list_strongest(feed, hashes, LIST_ALLOW, name, n_name);
        break;
    case FEED_WARNING:
        r = warn_of_all(feed, hashes);
        break;
    case FEED_TEST:
        r = list_strongest(feed, hashes, LIST_TEST, name, n_name);
        break;
    }
    feed->n_taken += r == 0;
    return r;
}

void feed_refuse(struct feed *feed, const char *reason)
{
    struct feed_broken *broken = &feed->broken[feed->n_refused];

    if (feed->n_refused < FEED_BROKEN_KEPT) {
        if (feed->line > 0) {
            snprintf(broken->place, sizeof(broken->place), "%llu", (unsigned long long)feed->line);
        } else {
            snprintf(broken->place, sizeof(broken->place), "%.48s%s%s",
                     feed->part ? feed->part : "", feed->part ? ":" : "", feed->pointer);
        }
        snprintf(broken->reason, sizeof(broken->reason), "%s", reason);
    }
    feed->n_refused++;
}

int feed_fail(struct feed *feed, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(feed->failure, sizeof(feed->failure), format, args);
    va_end(args);
    return -EBADMSG;
}

uint64_t feed_duplicates(const struct feed *feed)
{
    const struct entries *entries =
        feed->role == FEED_WARNING ? &feed->sink->warned : &feed->sink->listed;

    return entries->n_duplicates[feed->source];
}
