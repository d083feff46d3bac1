/*
 * Compiled lists of any bytes: refused, or read within bounds. The digest of the header is put
 * right first, since no fuzzer finds it, and everything behind it would never be reached.
 */
#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "providers/hashlist/list_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void look_up(const struct list_file *list, enum list_algorithm algorithm,
                    const uint8_t *digest)
{
    struct list_hit hit;

    if (list_file_find(list, algorithm, digest, &hit) == 0 &&
        (strlen(hit.name) > LIST_NAME_BYTES_MAX || strlen(hit.source) > LIST_NAME_BYTES_MAX)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    uint8_t *copy = malloc(n_bytes ? n_bytes : 1);
    uint8_t digest[LIST_DIGEST_BYTES_MAX];
    struct list_file list;

    if (!copy) {
        return 0;
    }
    memcpy(copy, bytes, n_bytes);
    if (n_bytes >= LIST_HEADER_BYTES) {
        SHA256(copy, LIST_HEADER_DIGEST_AT, copy + LIST_HEADER_DIGEST_AT);
    }
    if (!list_file_init(&list, copy, n_bytes)) {
        (void)list_file_verify(&list);
        for (int a = 0; a < LIST_N_ALGORITHMS; a++) {
            const struct list_table *table = &list.layout.tables[a];

            memset(digest, 0, sizeof(digest));
            look_up(&list, (enum list_algorithm)a, digest);
            memset(digest, 0xff, sizeof(digest));
            look_up(&list, (enum list_algorithm)a, digest);
            for (uint64_t row = 0; row < table->n_rows; row++) {
                memcpy(digest, copy + table->rows_at + row * table->row_bytes, table->digest_bytes);
                look_up(&list, (enum list_algorithm)a, digest);
                digest[table->digest_bytes - 1] ^= 1;
                look_up(&list, (enum list_algorithm)a, digest);
            }
        }
    }
    free(copy);
    return 0;
}
