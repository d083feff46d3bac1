/*
 * rule_files: finds and reads rule files.
 *
 * It promises an order that does not depend on the file system, one name per file, and for whatever
 * cannot be read an error that names it: a folder of rules that was loaded in part would look like
 * protection that is not there.
 *
 * Folders behind symbolic links are not entered, so that there are no circles; files behind them
 * are read, since packages link rules into place.
 */
#include "providers/yara/rule_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_DEPTH_MAX 16
#define FILE_BYTES_MAX   (256ll << 20)

int rule_error_add(struct rule_error *error, const char *format, ...)
{
    va_list args;

    if (error->n_errors++ == 0) {
        va_start(args, format);
        vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);
    }
    return -1;
}

static int no_memory(struct rule_error *error)
{
    return rule_error_add(error, "out of memory; give the provider more (`memory-mib`)");
}

static int cannot_read(const char *path, int number, struct rule_error *error)
{
    return rule_error_add(error, "%s: cannot be read (%s); the provider's user must be able to",
                          path, strerror(number));
}

static int files_append(struct rule_files *files, const char *path, const char *name,
                        struct rule_error *error)
{
    struct rule_file *grown =
        reallocarray(files->files, files->n_files + 1, sizeof(struct rule_file));
    struct rule_file *file;

    if (!grown) {
        return no_memory(error);
    }
    files->files = grown;
    file = &files->files[files->n_files];
    *file = (struct rule_file){.path = strdup(path), .name = strdup(name)};
    files->n_files++;
    return file->path && file->name ? 0 : no_memory(error);
}

static bool is_rule_name(const char *name)
{
    const char *suffix = strrchr(name, '.');

    return suffix && (strcmp(suffix, ".yar") == 0 || strcmp(suffix, ".yara") == 0 ||
                      strcmp(suffix, ".yarc") == 0);
}

static int folder_walk(struct rule_files *files, const char *path, const char *name, int depth,
                       struct rule_error *error);

static int entry_walk(struct rule_files *files, const char *folder, const char *folder_name,
                      const struct dirent *entry, int depth, struct rule_error *error)
{
    char *path = NULL;
    char *name = NULL;
    struct stat info;
    int r;

    if (entry->d_name[0] == '.') {
        return 0;
    }
    if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
        return no_memory(error);
    }
    if (asprintf(&name, "%s%s%s", folder_name, *folder_name ? "/" : "", entry->d_name) < 0) {
        free(path);
        return no_memory(error);
    }
    if (lstat(path, &info) < 0) {
        r = cannot_read(path, errno, error);
    } else if (S_ISDIR(info.st_mode)) {
        r = folder_walk(files, path, name, depth + 1, error);
    } else {
        r = is_rule_name(entry->d_name) ? files_append(files, path, name, error) : 0;
    }
    free(name);
    free(path);
    return r;
}

static int folder_walk(struct rule_files *files, const char *path, const char *name, int depth,
                       struct rule_error *error)
{
    DIR *folder;
    int r = 0;

    if (depth > FOLDER_DEPTH_MAX) {
        return rule_error_add(error, "%s: more than %d folders deep; make it flatter", path,
                              FOLDER_DEPTH_MAX);
    }
    folder = opendir(path);
    if (!folder) {
        return cannot_read(path, errno, error);
    }
    while (r == 0) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(folder);
        if (!entry) {
            r = errno ? cannot_read(path, errno, error) : 0;
            break;
        }
        r = entry_walk(files, path, name, entry, depth, error);
    }
    closedir(folder);
    return r;
}

/* Last component, so that the rules of several folders can be told apart. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int path_walk(struct rule_files *files, char *path, bool is_one_of_several,
                     struct rule_error *error)
{
    size_t n_before = files->n_files;
    struct stat info;

    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) {
        path[n - 1] = '\0';
    }
    if (stat(path, &info) < 0) {
        return errno == ENOENT
                   ? rule_error_add(error,
                                    "%s: does not exist; correct `definitions` in the provider's "
                                    "configuration",
                                    path)
                   : cannot_read(path, errno, error);
    }
    if (!S_ISDIR(info.st_mode)) {
        return files_append(files, path, base_name(path), error);
    }
    if (folder_walk(files, path, is_one_of_several ? base_name(path) : "", 0, error) < 0) {
        return -1;
    }
    if (files->n_files == n_before) {
        return rule_error_add(error, "%s: no rules in it; put *.yar, *.yara or *.yarc files there",
                              path);
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct rule_file *x = a;
    const struct rule_file *y = b;
    int r = strcmp(x->name, y->name);

    return r ? r : strcmp(x->path, y->path);
}

/* Folders of equal name give equal names: number all but the first. */
static int names_make_unique(struct rule_files *files, struct rule_error *error)
{
    for (size_t i = 1, n = 1; i < files->n_files; i++) {
        char *name;

        if (strcmp(files->files[i].name, files->files[i - n].name) != 0) {
            n = 1;
            continue;
        }
        n++;
        if (asprintf(&name, "%s!%zu", files->files[i].name, n) < 0) {
            return no_memory(error);
        }
        free(files->files[i].name);
        files->files[i].name = name;
    }
    return 0;
}

int rule_files_find(struct rule_files *files, const char *paths, struct rule_error *error)
{
    char *copy = strdup(paths);
    char *rest = copy;
    int r = 0;

    if (!copy) {
        return no_memory(error);
    }
    while (rest && r == 0) {
        char *path = strsep(&rest, ":");

        if (*path != '\0') {
            r = path_walk(files, path, strchr(paths, ':') != NULL, error);
        }
    }
    free(copy);
    if (r < 0) {
        return r;
    }
    if (files->n_files == 0) {
        return rule_error_add(error, "no folder given; set `definitions` in the provider's "
                                     "configuration");
    }
    qsort(files->files, files->n_files, sizeof(*files->files), compare);
    return names_make_unique(files, error);
}

void rule_files_fini(struct rule_files *files)
{
    for (size_t i = 0; i < files->n_files; i++) {
        free(files->files[i].path);
        free(files->files[i].name);
    }
    free(files->files);
    *files = (struct rule_files)RULE_FILES_INIT;
}

static int fd_read(int fd, char *bytes, size_t n_bytes)
{
    for (size_t n = 0; n < n_bytes;) {
        ssize_t r = read(fd, bytes + n, n_bytes - n);

        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r <= 0) {
            return r < 0 ? -errno : -EIO; /* it shrank */
        }
        n += (size_t)r;
    }
    return 0;
}

int rule_file_read(const struct rule_file *file, char **ret_bytes, size_t *ret_n_bytes,
                   struct rule_error *error)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;
    char *bytes = NULL;
    int r;

    if (fd < 0) {
        return cannot_read(file->path, errno, error);
    }
    if (fstat(fd, &info) < 0) {
        r = cannot_read(file->path, errno, error);
    } else if (!S_ISREG(info.st_mode)) {
        r = rule_error_add(error, "%s: not a regular file; take it away", file->path);
    } else if (info.st_size > FILE_BYTES_MAX) {
        r = rule_error_add(error, "%s: larger than %lld MiB; split it", file->path,
                           FILE_BYTES_MAX >> 20);
    } else if (!(bytes = malloc((size_t)info.st_size + 1))) {
        r = no_memory(error);
    } else {
        r = fd_read(fd, bytes, (size_t)info.st_size);
        r = r < 0 ? cannot_read(file->path, -r, error) : 0;
    }
    close(fd);
    if (r < 0) {
        free(bytes);
        return r;
    }
    bytes[info.st_size] = '\0';
    *ret_bytes = bytes;
    *ret_n_bytes = (size_t)info.st_size;
    return 0;
}
