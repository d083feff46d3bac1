/*
 * hashlist_fixture: what the tests of the hashlist provider and of its builder share.
 */
#include "hashlist_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "providers/hashlist/build/input.h"
#include "providers/hashlist/build/list_write.h"
#include "testing.h"

static char folder[64];

int feed_case_read(struct feed_case *feed_case, const char *path, enum feed_role role,
                   enum feed_format format, const void *bytes, size_t n_bytes)
{
    int r;

    feed_case->feed = (struct feed){
        .sink = &feed_case->sink, .path = path, .role = role, .format = format, .source = 1};
    strcpy(feed_case->feed.name, "unnamed");
    entries_sort(&feed_case->sink.warned);
    r = input_read_bytes(&feed_case->feed, bytes, n_bytes);
    entries_sort(&feed_case->sink.listed);
    entries_sort(&feed_case->sink.warned);
    return r;
}

int feed_case_text(struct feed_case *feed_case, const char *path, const char *text)
{
    return feed_case_read(feed_case, path, FEED_DENY, FEED_AUTO, text, strlen(text));
}

void feed_case_fini(struct feed_case *feed_case)
{
    entries_fini(&feed_case->sink.listed);
    entries_fini(&feed_case->sink.warned);
}

const char *feed_case_name(const struct feed_case *feed_case, const char *hash)
{
    static char name[LIST_NAME_BYTES_MAX + 1];
    struct file_hashes hashes = {.has = {false}};

    assert_int_equal(hash_take(&hashes, hash, strlen(hash)), HASH_GOOD);
    for (int a = 0; a < LIST_N_ALGORITHMS; a++) {
        const struct entries *entries = &feed_case->sink.listed;
        const uint8_t *row =
            hashes.has[a] ? entries_find(entries, (enum list_algorithm)a, hashes.digests[a]) : NULL;

        if (row) {
            const struct entry_label *label =
                &entries->labels[list_get32(row + list_digest_bytes((enum list_algorithm)a)) &
                                 LIST_LABEL_MASK];

            snprintf(name, sizeof(name), "%.*s", (int)label->n_name,
                     entries->names + label->name_at);
            return name;
        }
    }
    return NULL;
}

const char *folder_make(void)
{
    strcpy(folder, "/tmp/test-hashlist-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

void folder_remove(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

const char *folder_path(const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

void folder_put(const char *name, const void *bytes, size_t n_bytes)
{
    FILE *file = fopen(folder_path(name), "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
}

void folder_put_text(const char *name, const char *text)
{
    folder_put(name, text, strlen(text));
}

void folder_build(const char *name, const struct list_request *requests, size_t n_requests,
                  uint64_t built)
{
    static struct list_build build;
    struct list_request copies[8];
    struct list_header header;
    char error[512];

    assert_true(n_requests <= 8);
    for (size_t i = 0; i < n_requests; i++) {
        copies[i] = requests[i];
        copies[i].path = folder_path(requests[i].path);
    }
    build.sink.now = built;
    assert_int_equal(list_build_read(&build, copies, n_requests), 0);
    if (list_write(&build.sink.listed, build.sources, build.n_sources, built, folder_path(name),
                   &header, error, sizeof(error)) < 0) {
        fail_msg("%s", error);
    }
    list_build_fini(&build);
}

void folder_build_text(const char *name, const char *text)
{
    folder_put_text("feed.txt", text);
    folder_build(name, &(struct list_request){.path = "feed.txt"}, 1, 1700000000);
}

uint8_t *folder_read(const char *name, size_t *ret_n_bytes)
{
    FILE *file = fopen(folder_path(name), "re");
    struct stat info;
    uint8_t *bytes;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)info.st_size, file), info.st_size);
    fclose(file);
    *ret_n_bytes = (size_t)info.st_size;
    return bytes;
}
