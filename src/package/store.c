/*
 * Installing, removing and listing packages.
 *
 * A package and its signature are copied into the store first and verified there: what was checked
 * is what is installed, however the source changes meanwhile. The serial's floor is raised before
 * the package gets its name, and stays when it is removed. The configuration that is written starts
 * the provider in mode observe; one that is there already is left as it is.
 *
 * The running service is not touched: it takes a package when it reads its configuration again.
 */
#include "package/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <pes/enums.h>
#include <pes/provider.h>

#include "package/check.h"
#include "package/container.h"
#include "package/store_file.h"
#include "package/tell.h"

#define SUFFIX      ".pespkg"
#define INCOMING    ".incoming" SUFFIX
#define CONF_BYTES  8192
#define N_SUFFIX    (sizeof(SUFFIX) - 1)
#define SIG_SUFFIX  ".minisig"
#define RELOAD_HINT "reload the service to start it: systemctl reload pes, or SIGHUP to pesd"

/* -------------------------------------------------------------------------------------- folders */

static int join(char ret[PATH_MAX], const char *folder, const char *name, const char *suffix)
{
    return snprintf(ret, PATH_MAX, "%s/%s%s", folder, name, suffix) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The user's own: below an XDG folder, or below HOME. */
static int find_user_folder(char ret[PATH_MAX], const char *variable, const char *in_home,
                            const char *name)
{
    const char *base = getenv(variable);
    const char *home = getenv("HOME");

    if (base && base[0] == '/') {
        return join(ret, base, name, "");
    }
    if (!home || home[0] != '/') {
        return -ENOENT;
    }
    return snprintf(ret, PATH_MAX, "%s/%s/%s", home, in_home, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* A configuration wants absolute paths. */
static int make_absolute(char ret[PATH_MAX], const char *path)
{
    char here[PATH_MAX];

    if (path[0] == '/') {
        return snprintf(ret, PATH_MAX, "%s", path) >= PATH_MAX ? -ENAMETOOLONG : 0;
    }
    return getcwd(here, sizeof(here)) ? join(ret, here, path, "") : -errno;
}

static int find_program(char ret[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    if (n < 0) {
        return -errno;
    }
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (!slash) {
        return -ENOENT;
    }
    *slash = '\0';
    return join(ret, self, "pes-verify", "");
}

int store_find(struct store *ret, bool is_user, const char *config, const char *folder)
{
    int r = find_program(ret->program);

    if (r == 0 && config) {
        r = make_absolute(ret->config, config);
    } else if (r == 0 && is_user) {
        r = find_user_folder(ret->config, "XDG_CONFIG_HOME", ".config", "pes");
    } else if (r == 0) {
        r = make_absolute(ret->config, PES_CONFIG_FOLDER);
    }
    if (r == 0 && folder) {
        r = make_absolute(ret->folder, folder);
    } else if (r == 0 && is_user) {
        r = find_user_folder(ret->folder, "XDG_DATA_HOME", ".local/share", "pes/packages");
    } else if (r == 0) {
        r = make_absolute(ret->folder, "/var/lib/pes/packages");
    }
    return r;
}

static int make_folders(const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *at = copy + 1; *at; at++) {
        if (*at == '/') {
            *at = '\0';
            if (mkdir(copy, 0755) < 0 && errno != EEXIST) {
                return -errno;
            }
            *at = '/';
        }
    }
    return mkdir(copy, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* One command at a time; the lock goes with the descriptor. */
static int lock(const struct store *store, int *ret_fd)
{
    CLEANUP(closep) int fd = -1;
    int r = make_folders(store->folder);

    if (r < 0) {
        tell("'%s' cannot be made: %s", store->folder, strerror(-r));
        return r;
    }
    fd = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
        r = -errno;
        tell("'%s' cannot be locked: %s", store->folder,
             r == -EWOULDBLOCK ? "another command is at work; try again" : strerror(-r));
        return r;
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* ------------------------------------------------------------------------------------ verifying */

/* Status, and the record if it is good. A floor counts when `floor_of_name`. */
static int verify(const struct store *store, const char *path, const char *name,
                  struct package_record *ret)
{
    CLEANUP(closep) int package = -1;
    char why[PACKAGE_WHY_BYTES_MAX];
    char floor[PATH_MAX];
    struct check check = {
        .path = path,
        .program = store->program,
        .trust = {.folder = store->config, .owner = geteuid()},
        .rules = {.name = name,
                  .today = rules_today(),
                  .abi = PES_PROVIDER_ABI,
                  .registry = PES_REGISTRY_VERSION},
    };
    int r = check_package(&check, ret, &package, why);

    if (r == 0) {
        r = join(floor, store->folder, ret->manifest.name, ".floor");
        snprintf(why, sizeof(why), "its path is too long");
    }
    if (r == 0) {
        r = rules_read_floor(floor, &check.rules.floor, why);
    }
    if (r == 0) {
        r = rules_check(&check.rules, &ret->manifest, why);
    }
    if (r != 0) {
        tell("'%s' is refused: %s", path, why);
    }
    return r == 0 ? EXIT_DONE : r > 0 ? EXIT_REFUSED : EXIT_NOT_DONE;
}

static void print_record(const struct package_record *record)
{
    const struct manifest *manifest = &record->manifest;

    printf("name      %s\nversion   %s\nserial    %llu\nkey       %s\nsha256    ", manifest->name,
           manifest->version, (unsigned long long)manifest->serial, record->key_id);
    for (size_t i = 0; i < SHA256_DIGEST_BYTES; i++) {
        printf("%02x", record->sha256[i]);
    }
    printf("\n");
    if (manifest->expires != 0) {
        printf("last day  %llu\n", (unsigned long long)manifest->expires);
    }
    if (manifest->help_url[0] != '\0') {
        printf("help      %s\n", manifest->help_url);
    }
    for (size_t i = 0; i < manifest->n_kinds; i++) {
        printf("kind      %s\n", manifest->kinds[i]);
    }
    for (size_t i = 0; i < manifest->n_files; i++) {
        printf("file      %s (%llu bytes)\n", manifest->files[i].name,
               (unsigned long long)manifest->files[i].n_bytes);
    }
}

static int finish(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        tell("the output was lost: %s", strerror(errno));
        return EXIT_NOT_DONE;
    }
    return status;
}

int store_verify(const struct store *store, const char *package)
{
    static struct package_record record;
    int status = verify(store, package, NULL, &record);

    if (status == EXIT_DONE) {
        print_record(&record);
    }
    return finish(status);
}

/* ----------------------------------------------------------------------------------- installing */

static int copy(const char *from, const char *to, size_t n_most)
{
    CLEANUP(freep) uint8_t *bytes = NULL;
    size_t n = 0;
    int r = store_file_read(from, n_most, &bytes, &n);

    if (r < 0) {
        tell("'%s' cannot be read: %s", from, r == -EFBIG ? "it is too large" : strerror(-r));
        return r;
    }
    r = store_file_write(to, bytes, n, 0644);
    if (r < 0) {
        tell("'%s' cannot be written: %s", to, strerror(-r));
    }
    return r;
}

static int copy_pair(const char *from, const char *to)
{
    char from_signature[PATH_MAX];
    char to_signature[PATH_MAX];
    int r = copy(from, to, CONTAINER_BYTES_MAX);

    if (r < 0) {
        return r;
    }
    if (snprintf(from_signature, PATH_MAX, "%s" SIG_SUFFIX, from) >= PATH_MAX ||
        snprintf(to_signature, PATH_MAX, "%s" SIG_SUFFIX, to) >= PATH_MAX) {
        tell("the path is too long");
        return -ENAMETOOLONG;
    }
    if (access(from_signature, F_OK) < 0 && errno == ENOENT) {
        tell("'%s' is not signed: there is no '%s' beside it", from, from_signature);
        return PACKAGE_E_BAD;
    }
    return copy(from_signature, to_signature, MINISIGN_FILE_BYTES_MAX);
}

/* Of a pair; `suffix`: "" or that of the signature. */
static int rename_one(const struct store *store, const char *name, const char *suffix)
{
    char from[PATH_MAX];
    char to[PATH_MAX];

    if (snprintf(from, PATH_MAX, "%s/" INCOMING "%s", store->folder, suffix) >= PATH_MAX ||
        snprintf(to, PATH_MAX, "%s/%s" SUFFIX "%s", store->folder, name, suffix) >= PATH_MAX) {
        return -ENAMETOOLONG;
    }
    return rename(from, to) < 0 ? -errno : 0;
}

static void drop_incoming(const struct store *store)
{
    char path[PATH_MAX];

    if (join(path, store->folder, INCOMING, "") == 0) {
        (void)unlink(path);
    }
    if (join(path, store->folder, INCOMING, SIG_SUFFIX) == 0) {
        (void)unlink(path);
    }
}

static int raise_floor(const struct store *store, const struct manifest *manifest)
{
    char path[PATH_MAX];
    char text[32];
    int n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)manifest->serial);
    int r = join(path, store->folder, manifest->name, ".floor");

    return r == 0 ? store_file_write(path, text, (size_t)n, 0644) : r;
}

static int write_conf(const char *conf, const char *package, const struct manifest *manifest)
{
    CLEANUP(freep) char *text = NULL;
    char line[64];
    size_t n;

    if (asprintf(&text,
                 "# Written by `pes provider install`; yours to change. docs/configuration.md\n"
                 "module = \"%s\"\noptional = yes\nmode = observe\n",
                 package) < 0) {
        text = NULL;
        return -ENOMEM;
    }
    n = strlen(text) + 4 * sizeof(line);
    text = realloc(text, n);
    if (!text) {
        return -ENOMEM;
    }
    if (manifest->n_workers > 0) {
        snprintf(line, sizeof(line), "workers = %llu\n", (unsigned long long)manifest->n_workers);
        strcat(text, line);
    }
    if (manifest->memory_mib > 0) {
        snprintf(line, sizeof(line), "memory-mib = %llu\n",
                 (unsigned long long)manifest->memory_mib);
        strcat(text, line);
    }
    if (manifest->scratch_mib > 0) {
        snprintf(line, sizeof(line), "scratch-mib = %llu\n",
                 (unsigned long long)manifest->scratch_mib);
        strcat(text, line);
    }
    return store_file_write(conf, text, strlen(text), 0644);
}

/* Whether a provider's file speaks of this package: 1, 0, or -errno. */
static int conf_names(const char *conf, const char *package)
{
    CLEANUP(freep) uint8_t *text = NULL;
    size_t n = 0;
    int r = store_file_read(conf, CONF_BYTES, &text, &n);

    return r < 0 ? r : memmem(text, n, package, strlen(package)) ? 1 : 0;
}

/* A provider of that name that is not this package stays what it is: both are named. */
static int check_conf(const char *conf, const char *package, const char *name)
{
    int r = conf_names(conf, package);

    if (r == 0) {
        tell("provider '%s' is configured in '%s' already, not with '%s'; remove that file or let "
             "it name the package",
             name, conf, package);
        return PACKAGE_E_BAD;
    }
    if (r < 0 && r != -ENOENT) {
        tell("'%s' cannot be read: %s", conf, strerror(-r));
        return r;
    }
    return 0;
}

static int put_in_place(const struct store *store, const struct manifest *manifest)
{
    char package[PATH_MAX];
    char conf[PATH_MAX];
    char folder[PATH_MAX];
    int r = join(package, store->folder, manifest->name, SUFFIX);

    if (r == 0) {
        r = join(folder, store->config, "providers.d", "");
    }
    if (r == 0) {
        r = join(conf, folder, manifest->name, ".conf");
    }
    if (r == 0) {
        r = make_folders(folder);
    }
    if (r == 0) {
        r = check_conf(conf, package, manifest->name);
        if (r != 0) {
            return r > 0 ? EXIT_REFUSED : EXIT_NOT_DONE;
        }
        r = raise_floor(store, manifest);
    }
    if (r == 0) {
        r = rename_one(store, manifest->name, SIG_SUFFIX);
    }
    if (r == 0) {
        r = rename_one(store, manifest->name, "");
    }
    if (r == 0 && access(conf, F_OK) < 0) {
        r = write_conf(conf, package, manifest);
    }
    if (r < 0) {
        tell("'%s' cannot be installed: %s; nothing but its floor may have changed, install again",
             manifest->name, strerror(-r));
        return EXIT_NOT_DONE;
    }
    printf("%s %s is installed; " RELOAD_HINT "\n", manifest->name, manifest->version);
    return EXIT_DONE;
}

int store_install(const struct store *store, const char *package)
{
    static struct package_record record;
    CLEANUP(closep) int held = -1;
    char incoming[PATH_MAX];
    int status;
    int r = lock(store, &held);

    if (r < 0 || join(incoming, store->folder, INCOMING, "") < 0) {
        return EXIT_NOT_DONE;
    }
    r = copy_pair(package, incoming);
    status = r == 0 ? verify(store, incoming, NULL, &record) : r > 0 ? EXIT_REFUSED : EXIT_NOT_DONE;
    if (status == EXIT_DONE) {
        status = put_in_place(store, &record.manifest);
    }
    drop_incoming(store);
    return finish(status);
}

/* ------------------------------------------------------------------------------------- the rest */

int store_remove(const struct store *store, const char *name)
{
    CLEANUP(closep) int held = -1;
    char package[PATH_MAX];
    char signature[PATH_MAX];
    char conf[PATH_MAX];

    if (!manifest_is_name(name)) {
        tell("'%s' is no name of a provider", name);
        return EXIT_USAGE;
    }
    if (lock(store, &held) < 0) {
        return EXIT_NOT_DONE;
    }
    if (join(package, store->folder, name, SUFFIX) < 0 ||
        join(signature, store->folder, name, SUFFIX SIG_SUFFIX) < 0 ||
        snprintf(conf, PATH_MAX, "%s/providers.d/%s.conf", store->config, name) >= PATH_MAX) {
        tell("the path is too long");
        return EXIT_NOT_DONE;
    }
    /* The configuration first: what it names must be there. */
    if (conf_names(conf, package) == 1 && unlink(conf) < 0) {
        tell("'%s' cannot be removed: %s", conf, strerror(errno));
        return EXIT_NOT_DONE;
    }
    if (unlink(package) < 0) {
        tell("'%s' cannot be removed: %s", package, strerror(errno));
        return EXIT_NOT_DONE;
    }
    (void)unlink(signature); /* without the package it says nothing */
    printf("%s is removed; reload the service to end it\n", name);
    return finish(EXIT_DONE);
}

static int is_package(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > N_SUFFIX &&
           strcmp(entry->d_name + n - N_SUFFIX, SUFFIX) == 0;
}

static int list_one(const struct store *store, const char *file)
{
    static struct package_record record;
    char path[PATH_MAX];
    char name[NAME_MAX + 1];
    int status;

    snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - N_SUFFIX), file);
    if (join(path, store->folder, file, "") < 0) {
        return EXIT_NOT_DONE;
    }
    status = verify(store, path, name, &record);
    if (status == EXIT_DONE) {
        printf("%-32s %-16s serial %llu, key %s\n", name, record.manifest.version,
               (unsigned long long)record.manifest.serial, record.key_id);
    } else {
        printf("%-32s refused\n", manifest_is_name(name) ? name : "?");
    }
    return status;
}

int store_list(const struct store *store, const char *unused)
{
    struct dirent **entries = NULL;
    int status = EXIT_DONE;
    int n = scandir(store->folder, &entries, is_package, alphasort);

    (void)unused;
    if (n < 0 && errno != ENOENT) {
        tell("'%s' cannot be listed: %s", store->folder, strerror(errno));
        return EXIT_NOT_DONE;
    }
    for (int i = 0; i < n; i++) {
        int one = list_one(store, entries[i]->d_name);

        status = one > status ? one : status;
        free(entries[i]);
    }
    free(entries);
    if (n <= 0) {
        printf("no package is installed\n");
    }
    return finish(status);
}
