/*
 * list_file: lookups in a compiled hash list that is mapped, not loaded.
 *
 * Opening costs the same for ten entries and ten million: the header has a digest of its own, and
 * all places follow from its counts. A lookup narrows the rows down by the first bits of the
 * digest, searches by halves, and then proves its answer: the row that it found, or the two
 * neighbours between which the digest would have to be, lie in blocks whose sums are right.
 * Whatever else may be damaged, by a bad disk or a bad copy, "not listed" is said only when it is
 * so.
 *
 * It relies on the file not being changed in place. The builder never does that: it writes another
 * file and renames it, and who has mapped the old one keeps it.
 */
#include "providers/hashlist/list_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const damaged = "is damaged";

const char *list_file_init(struct list_file *list, const uint8_t *bytes, size_t n_bytes)
{
    const char *wrong;

    *list = (struct list_file)LIST_FILE_INIT;
    if (n_bytes < LIST_HEADER_BYTES) {
        return n_bytes == 0 ? "is empty" : "is too short for a compiled hash list";
    }
    wrong = list_header_decode(&list->header, bytes);
    if (wrong) {
        return wrong;
    }
    if (list->header.file_bytes != n_bytes) {
        return n_bytes < list->header.file_bytes ? "is cut off" : "is longer than it should be";
    }
    if (!list_layout_init(&list->layout, &list->header) || list->layout.file_bytes != n_bytes) {
        return damaged;
    }
    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        const struct list_table *table = &list->layout.tables[i];
        const uint8_t *fan = bytes + table->fan_at;

        if (table->n_rows > 0 &&
            (list_get32(fan) != 0 ||
             list_get32(fan + (size_t)4 * (UINT32_C(1) << table->fan_bits)) != table->n_rows)) {
            return damaged;
        }
    }
    list->bytes = bytes;
    list->n_bytes = n_bytes;
    return NULL;
}

static int open_failed(int fd, char ret_error[LIST_ERROR_BYTES], const char *path, const char *what,
                       const char *remedy)
{
    snprintf(ret_error, LIST_ERROR_BYTES, "%s: %s; %s", path, what, remedy);
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

int list_file_open(struct list_file *list, const char *path, char ret_error[LIST_ERROR_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *wrong;
    struct stat info;
    void *bytes;

    *list = (struct list_file)LIST_FILE_INIT;
    if (fd < 0 || fstat(fd, &info) < 0) {
        return open_failed(fd, ret_error, path, strerror(errno),
                           "correct `definitions`, or let the provider's user read it");
    }
    if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        return open_failed(fd, ret_error, path,
                           S_ISREG(info.st_mode) ? "is empty" : "is not a file",
                           "make one with `pes definitions build --type hashlist`");
    }
    bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
        return open_failed(fd, ret_error, path, strerror(errno), "give it more `memory-mib`");
    }
    wrong = list_file_init(list, bytes, (size_t)info.st_size);
    if (wrong) {
        munmap(bytes, (size_t)info.st_size);
        return open_failed(fd, ret_error, path, wrong,
                           "make it again with `pes definitions build --type hashlist`");
    }
    close(fd);
    list->is_mapped = true;
    /* Lookups are all over the place: what lies around a row is not worth reading. */
    (void)madvise(bytes, (size_t)info.st_size, MADV_RANDOM);
    return 0;
}

void list_file_fini(struct list_file *list)
{
    if (list->is_mapped) {
        munmap((void *)list->bytes, list->n_bytes);
    }
    *list = (struct list_file)LIST_FILE_INIT;
}

static const uint8_t *row_at(const struct list_file *list, const struct list_table *table,
                             uint64_t row)
{
    return list->bytes + table->rows_at + row * table->row_bytes;
}

static bool block_is_intact(const struct list_file *list, const struct list_table *table,
                            uint64_t row)
{
    uint64_t block = row / LIST_BLOCK_ROWS;
    uint64_t first = block * LIST_BLOCK_ROWS;
    uint64_t n = table->n_rows - first < LIST_BLOCK_ROWS ? table->n_rows - first : LIST_BLOCK_ROWS;

    return list_sum(0, row_at(list, table, first), n * table->row_bytes) ==
           list_get32(list->bytes + table->sums_at + 4 * block);
}

/* The first row that is not below `digest`, if nothing is damaged; some row, or the end, if not. */
static uint64_t lower_bound(const struct list_file *list, const struct list_table *table,
                            const uint8_t *digest)
{
    const uint8_t *fan = list->bytes + table->fan_at + (size_t)4 * list_fan_slot(table, digest);
    uint64_t low = list_get32(fan);
    uint64_t high = list_get32(fan + 4);

    if (high > table->n_rows || low > high) {
        low = 0;
        high = table->n_rows;
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (memcmp(row_at(list, table, middle), digest, table->digest_bytes) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Name of a label or a source; false when it is damaged. */
static bool name_take(const struct list_file *list, uint64_t record_at, uint32_t *ret_source,
                      char ret_name[LIST_NAME_BYTES_MAX + 1])
{
    const uint8_t *record = list->bytes + record_at;
    uint32_t offset = list_get32(record);
    size_t n = record[4] | (size_t)record[5] << 8;

    *ret_source = record[6] | (uint32_t)record[7] << 8;
    if (n > LIST_NAME_BYTES_MAX || offset > list->header.n_name_bytes ||
        n > list->header.n_name_bytes - offset) {
        return false;
    }
    memcpy(ret_name, list->bytes + list->layout.names_at + offset, n);
    ret_name[n] = '\0';
    return list_sum(list_sum(0, record, 8), ret_name, n) == list_get32(record + 8);
}

/* The row is intact, so the finding stands even when its name does not. */
static void hit_take(const struct list_file *list, uint32_t word, struct list_hit *ret_hit)
{
    uint32_t label = word & LIST_LABEL_MASK;
    uint32_t source = 0;

    *ret_hit = (struct list_hit){.action = (enum list_action)(word >> LIST_ACTION_SHIFT)};
    if (label >= list->header.n_labels ||
        !name_take(list, list->layout.labels_at + (uint64_t)label * LIST_LABEL_BYTES, &source,
                   ret_hit->name) ||
        source >= list->header.n_sources ||
        !name_take(list, list->layout.sources_at + (uint64_t)source * LIST_LABEL_BYTES, &source,
                   ret_hit->source)) {
        strcpy(ret_hit->name, "Listed.name-damaged");
        strcpy(ret_hit->source, "damaged");
    }
}

int list_file_find(const struct list_file *list, enum list_algorithm algorithm,
                   const uint8_t *digest, struct list_hit *ret_hit)
{
    const struct list_table *table = &list->layout.tables[algorithm];
    struct list_hit hit = {.action = LIST_NONE};
    int order = 1;
    uint64_t row;

    if (table->n_rows > 0) {
        row = lower_bound(list, table, digest);
        if (row > 0 && (memcmp(row_at(list, table, row - 1), digest, table->digest_bytes) >= 0 ||
                        !block_is_intact(list, table, row - 1))) {
            return -EBADMSG;
        }
        if (row < table->n_rows) {
            order = memcmp(row_at(list, table, row), digest, table->digest_bytes);
            if (order < 0 || !block_is_intact(list, table, row)) {
                return -EBADMSG;
            }
            if (order == 0) {
                hit_take(list, list_get32(row_at(list, table, row) + table->digest_bytes), &hit);
            }
        }
        if (order == 0 && hit.action == LIST_NONE) {
            return -EBADMSG;
        }
    }
    *ret_hit = hit;
    return 0;
}

const char *list_file_verify(const struct list_file *list)
{
    uint8_t digest[32];

    SHA256(list->bytes + LIST_HEADER_BYTES, list->n_bytes - LIST_HEADER_BYTES, digest);
    if (memcmp(digest, list->header.body_digest, sizeof(digest)) != 0) {
        return damaged;
    }
    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        const struct list_table *table = &list->layout.tables[i];

        for (uint64_t row = 1; row < table->n_rows; row++) {
            if (memcmp(row_at(list, table, row - 1), row_at(list, table, row),
                       table->digest_bytes) >= 0) {
                return "was written wrongly (its rows are not in order)";
            }
        }
    }
    return NULL;
}
