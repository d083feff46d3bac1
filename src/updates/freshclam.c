/*
 * Fetches by the installed freshclam, which knows ClamAV's mirrors, increments and signatures.
 *
 * It works in a folder of its own (`.freshclam`), with a configuration that is written for each
 * run: nothing of /etc/clamav is used, no daemon is told, and it loads nothing to test it, which
 * takes as much memory as serving does; the service tries what comes before anybody relies on it.
 * What it has then is copied like any mirror.
 */
#include "updates/freshclam.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "definitions/tell.h"
#include "updates/mirror.h"
#include "updates/program.h"

#define FOLDER        ".freshclam"
#define CONFIGURATION ".freshclam.conf"

/* Scripted updates join two files into a third. */
#define GROWS_BY 4

static void write_proxy(FILE *file, const char *proxy)
{
    const char *port = strrchr(proxy, ':'); /* the configuration was checked for it */

    fprintf(file, "HTTPProxyServer %.*s\nHTTPProxyPort %s\n", (int)(port - proxy), proxy, port + 1);
}

static int write_configuration(const struct staging *staging, const struct update_config *config)
{
    CLEANUP(closep)
    int fd = openat(staging->folder, CONFIGURATION,
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "w");
    bool is_url = strstr(config->freshclam, "://") != NULL;

    if (!file) {
        closep(&copy);
        return -errno;
    }
    fprintf(file, "DatabaseDirectory %s/" FOLDER "\n", staging->path);
    fprintf(file, "%s %s\n", is_url ? "PrivateMirror" : "DatabaseMirror", config->freshclam);
    if (is_url) {
        fputs("ScriptedUpdates no\n", file); /* a mirror that is a folder has no increments */
    }
    if (config->proxy) {
        write_proxy(file, config->proxy);
    }
    fputs("TestDatabases no\nCompressLocalDatabase no\nMaxAttempts 2\nConnectTimeout 30\n"
          "ReceiveTimeout 0\n",
          file);
    return fclose(file) == 0 ? 0 : -errno;
}

static int run(const struct staging *staging, const struct update_config *config)
{
    char configuration[PATH_MAX + 32];
    struct program_result result;
    const char *words[] = {"freshclam",     "--quiet",     "--stdout",
                           "--no-warnings", configuration, NULL};
    int r;

    snprintf(configuration, sizeof(configuration), "--config-file=%s/" CONFIGURATION,
             staging->path);
    r = program_run(&result, (char *const *)(uintptr_t)words, config->file_bytes_max * GROWS_BY,
                    config->timeout_ms);
    if (r < 0) {
        tell("freshclam: %s; nothing was taken",
             r == -ETIME ? "it was not done within timeout" : strerror(-r));
        return r;
    }
    if (result.status != 0) {
        char *why = result.message[0] ? result.message : result.output;

        why[strcspn(why, "\n")] = '\0'; /* the first is the cause */
        tell("freshclam ends with status %d: %s; nothing was taken", result.status,
             why[0] ? why : "it does not say why");
        return -EIO;
    }
    return 0;
}

int freshclam_run(struct staging *staging, const struct update_config *config)
{
    char folder[PATH_MAX + 16];
    int r;

    if (mkdirat(staging->folder, FOLDER, 0700) < 0 && errno != EEXIST) {
        tell("'%s' cannot be written: %s", staging->path, strerror(errno));
        return -errno;
    }
    r = write_configuration(staging, config);
    if (r < 0) {
        tell("'%s/" CONFIGURATION "' cannot be written: %s", staging->path, strerror(-r));
        return r;
    }
    r = run(staging, config);
    snprintf(folder, sizeof(folder), "%s/" FOLDER, staging->path);
    return r < 0 ? r : mirror_folder(staging, config, folder);
}
