/* The digests of one content, as many as are needed, in one pass. */
#pragma once

#include <pes/provider.h>

#include "providers/hashlist/list_format.h"

struct content_digests {
    void *contexts[LIST_N_ALGORITHMS]; /* EVP_MD_CTX; NULL: not needed */
    uint8_t digests[LIST_N_ALGORITHMS][LIST_DIGEST_BYTES_MAX];
};

#define CONTENT_DIGESTS_INIT                                                                       \
    {                                                                                              \
        .contexts = { NULL }                                                                       \
    }

/* Prepares for these algorithms; what is loaded here is not opened while scanning. 0 or -1. */
int content_digests_init(struct content_digests *digests, const bool wanted[LIST_N_ALGORITHMS]);
void content_digests_fini(struct content_digests *digests);

/* 0 or -1, for bytes of which all are wanted. */
int content_digests_of(struct content_digests *digests, const void *bytes, size_t n_bytes);

/* Stops when time is up. Returns 0 or -1; `ret_n_done` is how many bytes were taken in, and the
 * digests are there only when these are all. */
int content_digests_scan(struct content_digests *digests, const struct pes_scan *scan,
                         size_t *ret_n_done);
