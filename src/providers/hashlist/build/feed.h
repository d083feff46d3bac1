/* One input of a list: what it states is counted and taken in here, whatever its format is. */
#pragma once

#include "providers/hashlist/build/entries.h"
#include "providers/hashlist/build/hash_text.h"

enum feed_role {
    FEED_DENY = 0,
    FEED_ALLOW = 1,   /* known good; also takes the same hashes from deny lists */
    FEED_WARNING = 2, /* only takes hashes from deny lists */
    FEED_TEST = 3,    /* reported as test samples */
};

enum feed_format {
    FEED_AUTO = 0,
    FEED_PLAIN = 1,
    FEED_CSV = 2,
    FEED_CLAMAV = 3,
    FEED_MISP = 4,
    FEED_STIX = 5,
    FEED_WARNINGLIST = 6,
};

#define FEED_N_FORMATS    7
#define FEED_BROKEN_KEPT  20u
#define FEED_PLACE_BYTES  192u
#define FEED_REASON_BYTES 160u

/* What all inputs of one list share. */
struct feed_sink {
    struct entries listed;
    struct entries warned; /* what no deny entry may be; sorted before the first of these */
    bool takes_all_ids;    /* also attributes that MISP does not mark for detection */
    uint64_t now;          /* seconds since 1970 */
};

struct feed_broken {
    char place[FEED_PLACE_BYTES + 64]; /* "12": a line; "/response/0": a JSON pointer */
    char reason[FEED_REASON_BYTES];
};

struct feed {
    struct feed_sink *sink;
    const char *path;
    enum feed_role role;
    enum feed_format format;
    uint16_t source;
    char name[LIST_NAME_BYTES_MAX + 1]; /* for entries that have none of their own */

    uint64_t line; /* where the parser is; 0: see `pointer` */
    char pointer[FEED_PLACE_BYTES];
    const char *part; /* file in the folder that is the input, or NULL */

    uint64_t n_taken; /* of these some will turn out to be duplicates */
    uint64_t n_refused;
    uint64_t n_suppressed;
    uint64_t n_ignored;  /* well-formed, but nothing that a hash list can use */
    uint64_t n_unmarked; /* of these: hashes that MISP does not mark for detection */
    struct feed_broken broken[FEED_BROKEN_KEPT];
    char failure[512]; /* why the whole input cannot be used */
};

const char *feed_role_name(enum feed_role role);
const char *feed_format_name(enum feed_format format);

/* Takes the hashes of one file. The strongest is listed; each can be suppressed. 0 or negative
 * errno.
 */
int feed_take(struct feed *feed, const struct file_hashes *hashes, const char *name, size_t n_name);

/* Counts what is broken, and keeps where and why of the first. */
void feed_refuse(struct feed *feed, const char *reason);

/* Says why the whole input cannot be used. Always -EBADMSG. */
int feed_fail(struct feed *feed, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Accepted and duplicate, after everything was sorted. */
uint64_t feed_duplicates(const struct feed *feed);
