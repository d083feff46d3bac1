/* Feeds and lists for the tests of hashlist, made in memory and in a folder of their own. */
#pragma once

#include "providers/hashlist/build/list_build.h"
#include "providers/hashlist/list_file.h"

/* Digests as text: `n` times one character. */
#define HEX16(c)     c c c c c c c c c c c c c c c c
#define MD5_OF(c)    HEX16(c) HEX16(c)
#define SHA1_OF(c)   HEX16(c) HEX16(c) c c c c c c c c
#define SHA256_OF(c) MD5_OF(c) MD5_OF(c)

struct feed_case {
    struct feed_sink sink;
    struct feed feed;
};

/* Feeds `bytes` as if they were the file `path`; what input_read_bytes() returned. Sorted. */
int feed_case_read(struct feed_case *feed_case, const char *path, enum feed_role role,
                   enum feed_format format, const void *bytes, size_t n_bytes);
int feed_case_text(struct feed_case *feed_case, const char *path, const char *text);
void feed_case_fini(struct feed_case *feed_case);

/* Fails the test unless these are the counts: accepted, duplicate, suppressed, refused, ignored. */
#define ASSERT_COUNTS(c, accepted, duplicate, suppressed, refused, ignored)                        \
    do {                                                                                           \
        assert_int_equal((c)->feed.n_taken - feed_duplicates(&(c)->feed), (accepted));             \
        assert_int_equal(feed_duplicates(&(c)->feed), (duplicate));                                \
        assert_int_equal((c)->feed.n_suppressed, (suppressed));                                    \
        assert_int_equal((c)->feed.n_refused, (refused));                                          \
        assert_int_equal((c)->feed.n_ignored, (ignored));                                          \
    } while (0)

/* The label's name that a digest, as text, has in the sorted entries; NULL when it has no row. */
const char *feed_case_name(const struct feed_case *feed_case, const char *hash);

/* A folder that is removed by folder_remove(). */
const char *folder_make(void);
void folder_remove(void);
const char *folder_path(const char *name); /* valid until the eighth call after it */
void folder_put(const char *name, const void *bytes, size_t n_bytes);
void folder_put_text(const char *name, const char *text);

/* Builds the list NAME of these requests, whose paths are names in the folder. */
void folder_build(const char *name, const struct list_request *requests, size_t n_requests,
                  uint64_t built);
/* NAME from one deny list in plain text. */
void folder_build_text(const char *name, const char *text);

/* All bytes of a file, on the heap. */
uint8_t *folder_read(const char *name, size_t *ret_n_bytes);
