/*
 * report: counts in a table or as JSON, and where the broken lines are.
 *
 * Paths are shown with escapes for what a terminal would act on. Of broken lines the place and the
 * reason are told, never the line itself: it may be anything.
 */
#include "providers/hashlist/build/report.h"

#include <jansson.h>
#include <string.h>

#define PATH_SHOWN 512

void report_safe(char *out, size_t n_out, const char *text)
{
    size_t n = 0;

    for (; *text != '\0' && n + 5 < n_out; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c >= 0x7f || c == '\\') {
            n += (size_t)snprintf(out + n, n_out - n, "\\x%02x", c);
        } else {
            out[n++] = (char)c;
        }
    }
    out[n] = '\0';
}

void report_broken(const struct list_build *build, FILE *out)
{
    char path[PATH_SHOWN];
    char place[2 * FEED_PLACE_BYTES];

    for (size_t i = 0; i < build->n_feeds; i++) {
        const struct feed *feed = &build->feeds[i];

        report_safe(path, sizeof(path), feed->path);
        for (size_t j = 0; j < feed->n_refused && j < FEED_BROKEN_KEPT; j++) {
            report_safe(place, sizeof(place), feed->broken[j].place);
            fprintf(out, "%s:%s: %s\n", path, place, feed->broken[j].reason);
        }
        if (feed->n_refused > FEED_BROKEN_KEPT) {
            fprintf(out, "%s: and %llu more that were refused\n", path,
                    (unsigned long long)(feed->n_refused - FEED_BROKEN_KEPT));
        }
    }
}

void report_failure(const struct feed *feed, FILE *out)
{
    char path[PATH_SHOWN];
    char failure[2 * sizeof(feed->failure)];

    report_safe(path, sizeof(path), feed->path);
    report_safe(failure, sizeof(failure), feed->failure);
    fprintf(out, "%s:%s%s\n", path, failure[0] >= '0' && failure[0] <= '9' ? "" : " ", failure);
}

static void row(FILE *out, const char *first, const char *second, const char *path,
                const uint64_t counts[5])
{
    fprintf(out, "%-8s %-12s", first, second);
    for (size_t i = 0; i < 5; i++) {
        fprintf(out, " %10llu", (unsigned long long)counts[i]);
    }
    fprintf(out, "  %s\n", path);
}

void report_table(const struct list_build *build, const char *path,
                  const struct list_header *header, FILE *out)
{
    struct list_totals totals;
    char safe[PATH_SHOWN];

    fprintf(out, "%-8s %-12s %10s %10s %10s %10s %10s  %s\n", "ROLE", "FORMAT", "ACCEPTED",
            "DUPLICATE", "SUPPRESSED", "REFUSED", "IGNORED", "INPUT");
    for (size_t i = 0; i < build->n_feeds; i++) {
        const struct feed *feed = &build->feeds[i];
        uint64_t n_duplicates = feed_duplicates(feed);

        report_safe(safe, sizeof(safe), feed->path);
        row(out, feed_role_name(feed->role), feed_format_name(feed->format), safe,
            (const uint64_t[]){feed->n_taken - n_duplicates, n_duplicates, feed->n_suppressed,
                               feed->n_refused, feed->n_ignored});
    }
    list_build_totals(build, &totals);
    row(out, "all", "", "(accepted: without warning lists)",
        (const uint64_t[]){totals.n_accepted, totals.n_duplicate, totals.n_suppressed,
                           totals.n_refused, totals.n_ignored});
    if (totals.n_unmarked > 0) {
        fprintf(out,
                "%llu hashes are ignored because MISP does not mark them for detection; --all-ids "
                "takes them\n",
                (unsigned long long)totals.n_unmarked);
    }
    report_safe(safe, sizeof(safe), path);
    if (!header) {
        fprintf(out, "%s: not written, there is nothing to put in\n", safe);
        return;
    }
    fprintf(out,
            "%s: %llu denied, %llu allowed, %llu for tests (sha256 %llu, sha1 %llu, md5 %llu), "
            "%llu bytes\n",
            safe, (unsigned long long)header->n_actions[LIST_DENY],
            (unsigned long long)header->n_actions[LIST_ALLOW],
            (unsigned long long)header->n_actions[LIST_TEST],
            (unsigned long long)header->n_rows[LIST_SHA256],
            (unsigned long long)header->n_rows[LIST_SHA1],
            (unsigned long long)header->n_rows[LIST_MD5], (unsigned long long)header->file_bytes);
}

struct number {
    const char *key;
    uint64_t value;
};

/* An object of texts (key, value, key, value) and numbers; NULL when there is no memory. */
static json_t *object_new(const char *const *texts, size_t n_texts, const struct number *numbers,
                          size_t n_numbers)
{
    json_t *object = json_object();
    int r = object ? 0 : -1;

    for (size_t i = 0; i + 1 < n_texts; i += 2) {
        r |= json_object_set_new(object, texts[i], json_string(texts[i + 1]));
    }
    for (size_t i = 0; i < n_numbers; i++) {
        r |=
            json_object_set_new(object, numbers[i].key, json_integer((json_int_t)numbers[i].value));
    }
    if (r < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *broken_json(const struct feed *feed)
{
    json_t *broken = json_array();

    for (size_t i = 0; i < feed->n_refused && i < FEED_BROKEN_KEPT; i++) {
        char place[2 * FEED_PLACE_BYTES];
        const char *const texts[] = {"place", place, "reason", feed->broken[i].reason};

        report_safe(place, sizeof(place), feed->broken[i].place);
        if (json_array_append_new(broken, object_new(texts, 4, NULL, 0)) < 0) {
            json_decref(broken);
            return NULL;
        }
    }
    return broken;
}

static json_t *feed_json(const struct feed *feed)
{
    uint64_t n_duplicates = feed_duplicates(feed);
    char path[4 * PATH_SHOWN];
    const char *const texts[] = {"input",  path,
                                 "role",   feed_role_name(feed->role),
                                 "format", feed_format_name(feed->format)};
    const struct number numbers[] = {
        {"accepted", feed->n_taken - n_duplicates},
        {"duplicate", n_duplicates},
        {"suppressed", feed->n_suppressed},
        {"refused", feed->n_refused},
        {"ignored", feed->n_ignored},
        {"unmarked", feed->n_unmarked},
    };
    json_t *object;

    report_safe(path, sizeof(path), feed->path);
    object = object_new(texts, 6, numbers, sizeof(numbers) / sizeof(numbers[0]));
    if (json_object_set_new(object, "broken", broken_json(feed)) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *list_json(const struct list_header *header)
{
    char digest[65];
    const char *const texts[] = {"digest", digest};

    if (!header) {
        return json_null();
    }
    for (size_t i = 0; i < 32; i++) {
        snprintf(digest + 2 * i, 3, "%02x", header->header_digest[i]);
    }
    return object_new(texts, 2,
                      (const struct number[]){
                          {"denied", header->n_actions[LIST_DENY]},
                          {"allowed", header->n_actions[LIST_ALLOW]},
                          {"tests", header->n_actions[LIST_TEST]},
                          {"sha256", header->n_rows[LIST_SHA256]},
                          {"sha1", header->n_rows[LIST_SHA1]},
                          {"md5", header->n_rows[LIST_MD5]},
                          {"bytes", header->file_bytes},
                          {"built", header->built},
                      },
                      8);
}

int report_json(const struct list_build *build, const char *path, const struct list_header *header,
                FILE *out)
{
    json_t *inputs = json_array();
    struct list_totals totals;
    char safe[4 * PATH_SHOWN];
    const char *const texts[] = {"output", safe};
    json_t *root;
    int r = 0;

    list_build_totals(build, &totals);
    report_safe(safe, sizeof(safe), path);
    root = object_new(texts, 2,
                      (const struct number[]){
                          {"accepted", totals.n_accepted},
                          {"duplicate", totals.n_duplicate},
                          {"suppressed", totals.n_suppressed},
                          {"refused", totals.n_refused},
                          {"ignored", totals.n_ignored},
                          {"unmarked", totals.n_unmarked},
                      },
                      6);
    for (size_t i = 0; i < build->n_feeds; i++) {
        r |= json_array_append_new(inputs, feed_json(&build->feeds[i]));
    }
    r |= json_object_set_new(root, "list", list_json(header));
    r |= json_object_set_new(root, "inputs", inputs);
    r = r == 0 && json_dumpf(root, out, JSON_ENSURE_ASCII) == 0 && fputc('\n', out) != EOF ? 0 : -1;
    json_decref(root);
    return r;
}
