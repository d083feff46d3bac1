/* A file's hashes as text: which algorithm, which bytes. Pure. */
#pragma once

#include "providers/hashlist/list_format.h"

/* The hashes of one file that a feed states; any of them names the file. */
struct file_hashes {
    bool has[LIST_N_ALGORITHMS];
    uint8_t digests[LIST_N_ALGORITHMS][LIST_DIGEST_BYTES_MAX];
};

enum hash_shape {
    HASH_BAD = 0,   /* not a hash */
    HASH_GOOD = 1,  /* MD5, SHA-1 or SHA-256 */
    HASH_OTHER = 2, /* a hash by its length that lists here do not have: SHA-224, -384, -512 */
};

/* Takes the hash that `text` is, in hexadecimal of either case, into `hashes`. */
enum hash_shape hash_take(struct file_hashes *hashes, const char *text, size_t n_text);

/* The same, when the feed says which algorithm it is. */
enum hash_shape hash_take_as(struct file_hashes *hashes, enum list_algorithm algorithm,
                             const char *text, size_t n_text);

/* Why a text is not a hash, for people. */
const char *hash_reason(const char *text, size_t n_text);

/* Number of hexadecimal digits that `text` begins with. */
size_t hash_digits(const char *text, size_t n_text);
