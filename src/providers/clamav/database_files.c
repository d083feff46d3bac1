/*
 * database_files: which files make up the definitions, and a digest that names them.
 *
 * libclamav reads a folder itself, in the order that its kinds of files need; this lists the same
 * files beforehand, so that the version of the definitions says exactly what was loaded, a folder
 * without a database is an error, and whatever cannot be read is named. Folders are not entered
 * below the first level, as libclamav does not either.
 *
 * The digest is libclamav's own SHA-256, so that the module needs no other library for it.
 */
#include "providers/clamav/database_files.h"

#include <clamav.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST_BYTES_SHOWN 6
#define READ_BYTES         65536

/* As libclamav 1.4 has them. */
static const char *const suffixes[] = {
    ".cat",  ".cbc", ".cdb", ".cfg", ".cld", ".crb", ".cud",  ".cvd", ".db",   ".fp",
    ".ftm",  ".gdb", ".hdb", ".hdu", ".hsb", ".hsu", ".idb",  ".ign", ".ign2", ".imp",
    ".ioc",  ".ldb", ".ldu", ".mdb", ".mdu", ".msb", ".msu",  ".ndb", ".ndu",  ".pdb",
    ".pwdb", ".rmd", ".sdb", ".sfp", ".wdb", ".yar", ".yara", ".zmd",
};

int load_error_set(struct load_error *error, const char *format, ...)
{
    va_list args;

    if (error->text[0] == '\0') {
        va_start(args, format);
        vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);
    }
    return -1;
}

static int no_memory(struct load_error *error)
{
    return load_error_set(error, "out of memory; give the provider more (`memory-mib`)");
}

static int cannot_read(const char *path, int number, struct load_error *error)
{
    return load_error_set(error, "%s: cannot be read (%s); the provider's user must be able to",
                          path, strerror(number));
}

static bool is_database_name(const char *name)
{
    const char *suffix = strrchr(name, '.');

    for (size_t i = 0; suffix && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (strcasecmp(suffix, suffixes[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes `path`, which is on the heap, over. */
static int path_add(struct database_files *files, char *path, struct load_error *error)
{
    char **grown = path ? reallocarray(files->paths, files->n_paths + 1, sizeof(char *)) : NULL;

    if (!grown) {
        free(path);
        return no_memory(error);
    }
    files->paths = grown;
    files->paths[files->n_paths++] = path;
    return 0;
}

static int folder_add(struct database_files *files, const char *folder, struct load_error *error)
{
    DIR *dir = opendir(folder);
    size_t n_before = files->n_paths;
    const struct dirent *entry;
    int r = 0;

    if (!dir) {
        return cannot_read(folder, errno, error);
    }
    while (r == 0 && (errno = 0, entry = readdir(dir))) {
        char *path = NULL;

        if (is_database_name(entry->d_name)) {
            r = asprintf(&path, "%s/%s", folder, entry->d_name) < 0 ? no_memory(error)
                                                                    : path_add(files, path, error);
        }
    }
    if (r == 0 && errno != 0) {
        r = cannot_read(folder, errno, error);
    }
    closedir(dir);
    if (r == 0 && files->n_paths == n_before) {
        return load_error_set(error,
                              "%s: no database in it; put *.cvd, *.cld, *.ndb, *.hdb or the like "
                              "there, or run freshclam",
                              folder);
    }
    return r;
}

static int one_add(struct database_files *files, const char *path, struct load_error *error)
{
    struct stat info;

    if (stat(path, &info) < 0) {
        return errno == ENOENT
                   ? load_error_set(error,
                                    "%s: does not exist; correct `definitions` in the provider's "
                                    "configuration",
                                    path)
                   : cannot_read(path, errno, error);
    }
    if (S_ISDIR(info.st_mode)) {
        return folder_add(files, path, error);
    }
    if (!is_database_name(path)) {
        return load_error_set(error, "%s: libclamav knows no database of this suffix", path);
    }
    return path_add(files, strdup(path), error);
}

static int digest_file(void *digest, const char *path, struct load_error *error)
{
    static unsigned char bytes[READ_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const char *name = strrchr(path, '/');
    ssize_t n = 0;

    if (fd < 0) {
        return cannot_read(path, errno, error);
    }
    name = name ? name + 1 : path;
    cl_update_hash(digest, name, strlen(name) + 1);
    while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
        cl_update_hash(digest, bytes, (size_t)n);
    }
    if (n < 0) {
        cannot_read(path, errno, error);
    }
    close(fd);
    return n < 0 ? -1 : 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int digest_all(struct database_files *files, struct load_error *error)
{
    unsigned char bytes[32] = {0};
    void *digest = cl_hash_init("sha256");
    int r = 0;

    if (!digest) {
        return load_error_set(error, "libclamav cannot compute SHA-256");
    }
    for (size_t i = 0; i < files->n_paths && r == 0; i++) {
        r = digest_file(digest, files->paths[i], error);
    }
    cl_finish_hash(digest, bytes);
    for (size_t i = 0; i < DIGEST_BYTES_SHOWN; i++) {
        snprintf(files->digest + 2 * i, 3, "%02x", bytes[i]);
    }
    return r;
}

int database_files_find(struct database_files *files, const char *paths, struct load_error *error)
{
    char *copy = strdup(paths);
    char *rest = copy;
    int r = copy ? 0 : no_memory(error);

    while (rest && r == 0) {
        const char *path = strsep(&rest, ":");

        r = *path != '\0' ? one_add(files, path, error) : 0;
    }
    free(copy);
    if (r < 0) {
        return r;
    }
    if (files->n_paths == 0) {
        return load_error_set(error, "no database given; set `definitions` in the provider's "
                                     "configuration");
    }
    qsort(files->paths, files->n_paths, sizeof(files->paths[0]), compare);
    return digest_all(files, error);
}

void database_files_fini(struct database_files *files)
{
    for (size_t i = 0; i < files->n_paths; i++) {
        free(files->paths[i]);
    }
    free(files->paths);
    *files = (struct database_files)DATABASE_FILES_INIT;
}
