/*
 * list_build: what is read in which order, and what every list has besides.
 *
 * Warning and allow lists are read before everything else, wherever they stand, so that it does not
 * matter in which order inputs are named. The hashes of no bytes at all are always warned of: they
 * get into feeds by mistake, and would block every empty file.
 *
 * The EICAR test string is in each table of the list, as the first entry of a source of its own, so
 * that a provider can prove each of them; no warning list takes it away.
 */
#include "providers/hashlist/build/list_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "providers/hashlist/build/input.h"

#define SELF_TEST_SOURCE "pes-self-test"
#define SELF_TEST_NAME   "EICAR-Test-File"

static const char *const eicar_hashes[LIST_N_ALGORITHMS] = {
    [LIST_SHA256] = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
    [LIST_SHA1] = "3395856ce81f2b7382dee72602f798b642f14140",
    [LIST_MD5] = "44d88612fea8a8f36de82e1278abb02f",
};

static const char *const empty_hashes[LIST_N_ALGORITHMS] = {
    [LIST_SHA256] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    [LIST_SHA1] = "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    [LIST_MD5] = "d41d8cd98f00b204e9800998ecf8427e",
};

static int add_one(struct entries *entries, int algorithm, const char *const *hashes,
                   enum list_action action, uint32_t label)
{
    struct file_hashes file = {.has = {false}};

    if (hash_take(&file, hashes[algorithm], strlen(hashes[algorithm])) != HASH_GOOD) {
        return -EINVAL;
    }
    return entries_add(entries, (enum list_algorithm)algorithm, file.digests[algorithm], action,
                       label);
}

/* A digest for which no table would be there otherwise costs the provider a pass over all content.
 */
static int self_test_add(struct list_build *build)
{
    uint32_t label;
    int r = entries_label(&build->sink.listed, 0, SELF_TEST_NAME, strlen(SELF_TEST_NAME), &label);

    for (int a = 0; a < LIST_N_ALGORITHMS && r == 0; a++) {
        if (build->sink.listed.tables[a].n_rows > 0) {
            r = add_one(&build->sink.listed, a, eicar_hashes, LIST_TEST, label);
        }
    }
    return r;
}

static int empty_warn(struct list_build *build)
{
    int r = 0;

    for (int a = 0; a < LIST_N_ALGORITHMS && r == 0; a++) {
        r = add_one(&build->sink.warned, a, empty_hashes, LIST_ALLOW, 0);
    }
    return r;
}

static const char *base_name(const char *path)
{
    const char *end = path + strlen(path);

    while (end > path && end[-1] == '/') {
        end--;
    }
    while (end > path && end[-1] != '/') {
        end--;
    }
    return end;
}

/* Takes over `n_text` characters of a name, those that names may have. */
static void name_set(char ret_name[LIST_NAME_BYTES_MAX + 1], const char *text, size_t n_text)
{
    size_t n = 0;

    for (; n < n_text && n < LIST_NAME_BYTES_MAX; n++) {
        char c = text[n];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c != '\0' && strchr("._:/!-", c));

        ret_name[n] = is_plain ? c : '_';
    }
    ret_name[n] = '\0';
    if (n == 0) {
        strcpy(ret_name, "listed");
    }
}

/* Length of a file's name without its suffix: entries of samples.sha256 are called samples. */
static size_t stem_length(const char *base)
{
    const char *suffix = strrchr(base, '.');

    return suffix && suffix > base ? (size_t)(suffix - base) : strlen(base);
}

static int feeds_prepare(struct list_build *build, const struct list_request *requests,
                         size_t n_requests)
{
    build->sources[0] = SELF_TEST_SOURCE;
    build->n_sources = n_requests + 1;
    build->feeds = calloc(n_requests, sizeof(*build->feeds));
    if (!build->feeds) {
        return -ENOMEM;
    }
    build->n_feeds = n_requests;
    for (size_t i = 0; i < n_requests; i++) {
        struct feed *feed = &build->feeds[i];
        const char *base = base_name(requests[i].path);
        char *source = malloc(LIST_NAME_BYTES_MAX + 1);

        build->sources[i + 1] = source;
        if (!source) {
            return -ENOMEM;
        }
        *feed = (struct feed){
            .sink = &build->sink,
            .path = requests[i].path,
            .role = requests[i].role,
            .format = requests[i].format,
            .source = (uint16_t)(i + 1),
        };
        name_set(source, base, strlen(base));
        if (requests[i].name) {
            name_set(feed->name, requests[i].name, strlen(requests[i].name));
        } else {
            name_set(feed->name, base, stem_length(base));
        }
    }
    return 0;
}

static bool is_early(const struct feed *feed)
{
    return feed->role == FEED_WARNING || feed->role == FEED_ALLOW;
}

/* A warning list that was named as a deny list shows itself only when it is read. */
static bool becomes_warning(const struct feed *feed, bool was_early)
{
    return !was_early && feed->role == FEED_WARNING;
}

/* Returns 1 when one of the late ones turned out to be a warning list: then all must be read again.
 */
static int feeds_read(struct list_build *build, bool early)
{
    int again = 0;

    for (size_t i = 0; i < build->n_feeds; i++) {
        struct feed *feed = &build->feeds[i];
        int r;

        if (is_early(feed) != early) {
            continue;
        }
        r = input_read(feed);
        if (r < 0) {
            build->failed = feed;
            return r;
        }
        again |= becomes_warning(feed, early);
    }
    return again;
}

static void feeds_reset(struct list_build *build)
{
    entries_fini(&build->sink.listed);
    entries_fini(&build->sink.warned);
    for (size_t i = 0; i < build->n_feeds; i++) {
        struct feed *feed = &build->feeds[i];

        feed->n_taken = 0;
        feed->n_refused = 0;
        feed->n_suppressed = 0;
        feed->n_ignored = 0;
        feed->n_unmarked = 0;
    }
}

int list_build_read(struct list_build *build, const struct list_request *requests,
                    size_t n_requests)
{
    int r = feeds_prepare(build, requests, n_requests);

    while (r == 0) {
        r = empty_warn(build);
        r = r < 0 ? r : feeds_read(build, true);
        if (r < 0) {
            return r;
        }
        entries_sort(&build->sink.warned);
        r = feeds_read(build, false);
        if (r < 0) {
            return r;
        }
        if (r == 0) {
            r = self_test_add(build);
            entries_sort(&build->sink.listed);
            return r;
        }
        feeds_reset(build);
        r = 0;
    }
    return r;
}

void list_build_fini(struct list_build *build)
{
    entries_fini(&build->sink.listed);
    entries_fini(&build->sink.warned);
    for (size_t i = 1; i < build->n_sources; i++) {
        free((char *)build->sources[i]);
    }
    free(build->feeds);
    memset(build, 0, sizeof(*build));
}

void list_build_totals(const struct list_build *build, struct list_totals *ret_totals)
{
    *ret_totals = (struct list_totals){.n_accepted = 0};
    for (size_t i = 0; i < build->n_feeds; i++) {
        const struct feed *feed = &build->feeds[i];

        ret_totals->n_refused += feed->n_refused;
        ret_totals->n_ignored += feed->n_ignored;
        ret_totals->n_unmarked += feed->n_unmarked;
        if (feed->role != FEED_WARNING) {
            ret_totals->n_accepted += feed->n_taken - feed_duplicates(feed);
            ret_totals->n_duplicate += feed_duplicates(feed);
            ret_totals->n_suppressed += feed->n_suppressed;
        }
    }
}
