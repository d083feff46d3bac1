/*
 * Fetches by the installed curl.
 *
 * It is a program of its own, so that TLS, proxies and certificates are what the administrator of
 * this machine has set up and is kept up to date by the distribution. Its own configuration
 * (~/.curlrc) is not read. Only https is spoken, also after a redirection; http only where the
 * configuration allows it. The kernel limits the size, since a server need not tell it.
 *
 * A server is asked only for what has changed: by the name that it gave to what we have (ETag), or
 * by its time. Whether what came is any good is seen when the service tries it.
 */
#include "updates/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "definitions/tell.h"
#include "updates/program.h"

#define ARGV_MAX 40

/* What curl ends with when a file grows beyond our limit: its own check, or a write that failed. */
#define CURL_E_WRITE    23
#define CURL_E_TOO_LONG 63

struct request {
    char *argv[ARGV_MAX];
    size_t n;
    char numbers[2][24];
    char output[PATH_MAX + STAGING_NAME_BYTES];
    char etag_new[PATH_MAX + STAGING_NAME_BYTES];
    char etag_old[PATH_MAX + STAGING_NAME_BYTES];
    char here[PATH_MAX + STAGING_NAME_BYTES];
};

static void add(struct request *request, const char *word)
{
    request->argv[request->n++] = (char *)(uintptr_t)word;
}

static void add_pair(struct request *request, const char *option, const char *value)
{
    add(request, option);
    add(request, value);
}

/* What we have already, and may keep. */
static void add_conditions(struct request *request, const struct staging *staging, const char *name)
{
    char etag[STAGING_NAME_BYTES + 8];
    struct stat st;

    if (!staging_has(staging, name)) {
        return;
    }
    snprintf(etag, sizeof(etag), ".etag.%s", name);
    if (fstatat(staging->folder, etag, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0) {
        add_pair(request, "--etag-compare", request->etag_old);
    } else {
        add_pair(request, "--time-cond", request->here);
    }
}

static void build(struct request *request, const struct staging *staging,
                  const struct update_config *config, const char *url, const char *name,
                  uint64_t timeout_ms)
{
    const char *protocols = config->allows_http ? "=https,http" : "=https";

    snprintf(request->output, sizeof(request->output), "%s/.work/%s", staging->path, name);
    snprintf(request->etag_new, sizeof(request->etag_new), "%s/.work/.etag.%s", staging->path,
             name);
    snprintf(request->etag_old, sizeof(request->etag_old), "%s/.etag.%s", staging->path, name);
    snprintf(request->here, sizeof(request->here), "%s/%s", staging->path, name);
    snprintf(request->numbers[0], sizeof(request->numbers[0]), "%llu",
             (unsigned long long)config->file_bytes_max);
    snprintf(request->numbers[1], sizeof(request->numbers[1]), "%llu",
             (unsigned long long)(timeout_ms + 999) / 1000);
    add(request, "curl");
    add(request, "--disable"); /* has to be the first */
    add(request, "--silent");
    add(request, "--show-error");
    add(request, "--fail");
    add(request, "--globoff");
    add(request, "--location");
    add(request, "--remote-time");
    add_pair(request, "--proto", protocols);
    add_pair(request, "--proto-redir", protocols);
    add_pair(request, "--max-redirs", "5");
    add_pair(request, "--max-filesize", request->numbers[0]);
    add_pair(request, "--max-time", request->numbers[1]);
    add_pair(request, "--connect-timeout", "30");
    add_pair(request, "--user-agent", "pes-fetch");
    if (config->proxy) {
        add_pair(request, "--proxy", config->proxy);
    }
    add_conditions(request, staging, name);
    add_pair(request, "--etag-save", request->etag_new);
    add_pair(request, "--output", request->output);
    add_pair(request, "--write-out", "%{http_code}");
    add_pair(request, "--url", url);
}

/* Its first line says what is wrong; help follows. */
static int tell_failure(struct program_result *result, const char *url, const char *name, int error)
{
    result->message[strcspn(result->message, "\n")] = '\0';
    if (error == -ETIME || error == 0) {
        tell("'%s' (%s): %s; nothing was taken", url, name,
             error == -ETIME                     ? "curl was not done within timeout"
             : result->status == CURL_E_TOO_LONG ? "the file is larger than max-file-size"
             : result->status == CURL_E_WRITE    ? "it cannot be written, or is larger than "
                                                   "max-file-size"
             : result->message[0]                ? result->message
                                                 : "curl ended without a word");
        return error ? error : -EIO;
    }
    tell("curl cannot be started: %s", strerror(-error));
    return error;
}

int download_file(struct staging *staging, const struct update_config *config, const char *url,
                  const char *name, uint64_t timeout_ms)
{
    struct request request = {.n = 0};
    struct program_result result;
    int r = staging_want(staging, name);

    if (r < 0) {
        tell("'%s' cannot be taken: %s", name, strerror(-r));
        return r;
    }
    build(&request, staging, config, url, name, timeout_ms);
    /* Beyond the time that it has itself, so that it can tell what it waited for. */
    r = program_run(&result, request.argv, config->file_bytes_max, timeout_ms + 5000);
    if (r < 0 || result.status != 0) {
        return tell_failure(&result, url, name, r);
    }
    if (strcmp(result.output, "304") == 0 && staging_has(staging, name)) {
        (void)unlinkat(staging->work, name, 0); /* some versions make an empty one */
        return 0;
    }
    if (strcmp(result.output, "200") != 0 ||
        faccessat(staging->work, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
        tell("'%s' (%s): the server answers %s and sends no file; nothing was taken", url, name,
             result.output);
        return -EIO;
    }
    return 0;
}
