/*
 * list_write: from sorted entries to one file, all or nothing.
 *
 * The file is written under another name in the same folder, its header last, flushed to disk, read
 * again in full and only then renamed. Whoever has the old one mapped keeps it; whoever opens the
 * name gets one or the other, never a part.
 */
#include "providers/hashlist/build/list_write.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/hashlist/list_file.h"

struct writer {
    const struct entries *entries;
    FILE *file;
    EVP_MD_CTX *digest; /* of everything behind the header */
    uint64_t at;
    bool has_failed;
};

static void put(struct writer *writer, const void *bytes, size_t n_bytes)
{
    if (n_bytes > 0 && !writer->has_failed) {
        writer->has_failed = fwrite(bytes, 1, n_bytes, writer->file) != n_bytes ||
                             !EVP_DigestUpdate(writer->digest, bytes, n_bytes);
        writer->at += n_bytes;
    }
}

static void put_number(struct writer *writer, uint32_t number)
{
    uint8_t bytes[4];

    list_put32(bytes, number);
    put(writer, bytes, sizeof(bytes));
}

static void section_end(struct writer *writer)
{
    static const uint8_t zeros[8];

    put(writer, zeros, (size_t)(-writer->at & 7));
}

static void table_put(struct writer *writer, const struct list_table *table,
                      const struct entry_rows *rows)
{
    uint32_t row = 0;

    if (table->n_rows == 0) {
        return;
    }
    put(writer, rows->rows, rows->n_rows * table->row_bytes);
    section_end(writer);
    for (uint64_t slot = 0; slot <= UINT64_C(1) << table->fan_bits; slot++) {
        while (row < rows->n_rows &&
               list_fan_slot(table, rows->rows + (size_t)row * table->row_bytes) < slot) {
            row++;
        }
        put_number(writer, row);
    }
    section_end(writer);
    for (uint64_t first = 0; first < table->n_rows; first += LIST_BLOCK_ROWS) {
        uint64_t n = table->n_rows - first;

        n = n < LIST_BLOCK_ROWS ? n : LIST_BLOCK_ROWS;
        put_number(writer,
                   list_sum(0, rows->rows + first * table->row_bytes, n * table->row_bytes));
    }
    section_end(writer);
}

/* A name and where it is, with a sum over both. */
static void record_put(struct writer *writer, size_t name_at, const char *name, size_t n_name,
                       uint16_t source)
{
    uint8_t record[LIST_LABEL_BYTES] = {0};

    list_put32(record, (uint32_t)name_at);
    list_put32(record + 4, (uint32_t)n_name | (uint32_t)source << 16);
    list_put32(record + 8, list_sum(list_sum(0, record, 8), name, n_name));
    put(writer, record, sizeof(record));
}

static void names_put(struct writer *writer, const char *const *sources, size_t n_sources)
{
    const struct entries *entries = writer->entries;
    size_t name_at = entries->n_names;

    for (size_t i = 0; i < entries->n_labels; i++) {
        const struct entry_label *label = &entries->labels[i];

        record_put(writer, label->name_at, entries->names + label->name_at, label->n_name,
                   label->source);
    }
    section_end(writer);
    for (size_t i = 0; i < n_sources; i++) {
        record_put(writer, name_at, sources[i], strlen(sources[i]), (uint16_t)i);
        name_at += strlen(sources[i]);
    }
    section_end(writer);
    put(writer, entries->names, entries->n_names);
    for (size_t i = 0; i < n_sources; i++) {
        put(writer, sources[i], strlen(sources[i]));
    }
    section_end(writer);
}

static void header_fill(struct list_header *header, const struct entries *entries,
                        const char *const *sources, size_t n_sources, uint64_t built)
{
    *header =
        (struct list_header){.built = built, .n_labels = entries->n_labels, .n_sources = n_sources};
    header->n_name_bytes = entries->n_names;
    for (size_t i = 0; i < n_sources; i++) {
        header->n_name_bytes += strlen(sources[i]);
    }
    for (int a = 0; a < LIST_N_ALGORITHMS; a++) {
        const struct entry_rows *table = &entries->tables[a];
        size_t n_digest = list_digest_bytes((enum list_algorithm)a);

        header->n_rows[a] = table->n_rows;
        for (size_t i = 0; i < table->n_rows; i++) {
            header->n_actions[list_get32(table->rows + i * (n_digest + 4) + n_digest) >>
                              LIST_ACTION_SHIFT]++;
        }
    }
}

static int body_write(struct writer *writer, struct list_header *header, const char *const *sources,
                      size_t n_sources)
{
    static const uint8_t no_header[LIST_HEADER_BYTES];
    uint8_t bytes[LIST_HEADER_BYTES];
    struct list_layout layout;

    if (!list_layout_init(&layout, header)) {
        errno = EFBIG;
        return -1;
    }
    header->file_bytes = layout.file_bytes;
    writer->has_failed = fwrite(no_header, sizeof(no_header), 1, writer->file) != 1 ||
                         !EVP_DigestInit_ex(writer->digest, EVP_sha256(), NULL);
    writer->at = sizeof(no_header);
    for (size_t a = 0; a < LIST_N_ALGORITHMS; a++) {
        table_put(writer, &layout.tables[a], &writer->entries->tables[a]);
    }
    names_put(writer, sources, n_sources);
    if (writer->has_failed || !EVP_DigestFinal_ex(writer->digest, header->body_digest, NULL)) {
        return -1;
    }
    list_header_encode(header, bytes);
    memcpy(header->header_digest, bytes + LIST_HEADER_DIGEST_AT, sizeof(header->header_digest));
    return fseek(writer->file, 0, SEEK_SET) == 0 &&
                   fwrite(bytes, sizeof(bytes), 1, writer->file) == 1 &&
                   fflush(writer->file) == 0 && fsync(fileno(writer->file)) == 0
               ? 0
               : -1;
}

/* What was written must be what a provider will take. */
static int read_again(const char *path, char *ret_error, size_t n_error)
{
    struct list_file list = LIST_FILE_INIT;
    char error[LIST_ERROR_BYTES];
    const char *wrong;

    if (list_file_open(&list, path, error) < 0) {
        snprintf(ret_error, n_error, "%s", error);
        return -1;
    }
    wrong = list_file_verify(&list);
    list_file_fini(&list);
    if (wrong) {
        snprintf(ret_error, n_error, "%s: what was written %s; is the disk sound?", path, wrong);
        return -1;
    }
    return 0;
}

static void folder_flush(const char *path)
{
    char copy[PATH_MAX];
    int fd;

    snprintf(copy, sizeof(copy), "%s", path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

static int temporary_open(const char *path, char ret_name[PATH_MAX], FILE **ret_file)
{
    mode_t mask = umask(0);
    int fd;

    umask(mask);
    if (snprintf(ret_name, PATH_MAX, "%s.XXXXXX", path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(ret_name, O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    *ret_file = fchmod(fd, 0666 & ~mask) == 0 ? fdopen(fd, "w") : NULL;
    if (!*ret_file) {
        close(fd);
        unlink(ret_name);
        return -1;
    }
    return 0;
}

int list_write(const struct entries *entries, const char *const *sources, size_t n_sources,
               uint64_t built, const char *path, struct list_header *ret_header, char *ret_error,
               size_t n_error)
{
    struct writer writer = {.entries = entries, .digest = EVP_MD_CTX_new()};
    struct list_header header;
    char temporary[PATH_MAX];
    int r = -1;

    ret_error[0] = '\0';
    header_fill(&header, entries, sources, n_sources, built);
    if (writer.digest && temporary_open(path, temporary, &writer.file) == 0) {
        r = body_write(&writer, &header, sources, n_sources);
        if (fclose(writer.file) != 0) {
            r = -1;
        }
        if (r < 0) {
            snprintf(ret_error, n_error, "%s: cannot be written (%s)", path, strerror(errno));
        }
        r = r < 0 ? r : read_again(temporary, ret_error, n_error);
        if (r == 0 && rename(temporary, path) < 0) {
            snprintf(ret_error, n_error, "%s: cannot be put in place (%s)", path, strerror(errno));
            r = -1;
        }
        if (r < 0) {
            unlink(temporary);
        }
    } else {
        snprintf(ret_error, n_error, "%s: cannot be written (%s)", path, strerror(errno));
    }
    EVP_MD_CTX_free(writer.digest);
    if (r == 0) {
        folder_flush(path);
        *ret_header = header;
    }
    return r;
}
