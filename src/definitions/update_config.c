/*
 * The keys of updates.d/NAME.conf.
 *
 * Read by the program that fetches and by `pes definitions status`, in the form of pes.conf and
 * with its parser: every mistake is told, with file, line and remedy. That what is given is
 * reachable is not looked at here.
 */
#include "definitions/update_config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "definitions/tell.h"
#include "launcher/config_text.h"
#include "launcher/problems.h"

#define FILE_NAME_BYTES_MAX 200

static void set_defaults(struct update_config *config)
{
    *config = (struct update_config){
        .file_bytes_max = UINT64_C(1) << 30,
        .timeout_ms = UINT64_C(10) * 60 * 1000,
        .stale_after_days = UPDATE_STALE_DAYS,
    };
}

void update_config_fini(struct update_config *config)
{
    config_list_fini(&config->files);
    free(config->folder);
    free(config->freshclam);
    free(config->proxy);
    set_defaults(config);
}

static void reset(void *config)
{
    update_config_fini(config);
}

static void *top_target(struct config_parse *parse)
{
    return config_parse_config(parse);
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A name that stays in its folder and is passed over by nobody. */
static bool name_is_good(const char *name, size_t n)
{
    if (n == 0 || n > FILE_NAME_BYTES_MAX || name[0] == '.' || name[0] == '-') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '/' || (unsigned char)name[i] <= ' ' || name[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_plain_text(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f || *text == '"' || *text == '\\') {
            return false;
        }
    }
    return true;
}

static void check_file(struct config_parse *parse, const char *value)
{
    size_t n_name = strcspn(value, "=");
    const char *source = value[n_name] ? value + n_name + 1 : "";
    char quote[PROBLEMS_QUOTE_BYTES];

    problems_quote(value, quote);
    if (value[n_name] && !name_is_good(value, n_name)) {
        config_parse_problem(parse,
                             "files: '%s': give a name that is no path and does not begin with "
                             "'.' or '-', at most %d bytes",
                             quote, FILE_NAME_BYTES_MAX);
    }
    if (value[n_name] && !begins_with(source, "https://") && !begins_with(source, "http://") &&
        !begins_with(source, "file:///") && source[0] != '/') {
        config_parse_problem(parse,
                             "files: '%s': give an absolute path, or a URL with https:// or "
                             "file:///",
                             quote);
    } else if (source[0] != '/' && !is_plain_text(source)) {
        config_parse_problem(parse,
                             "files: '%s': a blank, quote or backslash is no part of a URL; "
                             "write it as %%20, %%22 or %%5C",
                             quote);
    }
}

static void check_absolute(struct config_parse *parse, const char *value)
{
    if (value[0] != '/') {
        config_parse_problem(parse, "folder: give an absolute path");
    }
}

/* Both stand in a file that is written for freshclam, a word to a line. */
static void check_freshclam(struct config_parse *parse, const char *value)
{
    if (!is_plain_text(value) || (strstr(value, "://") && !begins_with(value, "https://") &&
                                  !begins_with(value, "http://"))) {
        config_parse_problem(parse, "freshclam: give \"database.clamav.net\", or the URL of a "
                                    "private mirror with https://");
    }
}

static void check_proxy(struct config_parse *parse, const char *value)
{
    const char *host = strstr(value, "://");
    const char *port;

    host = host ? host + 3 : value;
    port = strrchr(host, ':');
    if (!is_plain_text(value) || !begins_with(value, "http://") || !port || port == host ||
        !port[1] || port[1 + strspn(port + 1, "0123456789")] || strchr(host, '/')) {
        config_parse_problem(parse, "proxy: give \"http://HOST:PORT\"");
    }
}

static const struct config_key keys[] = {
    {
        .name = "files",
        .type = CONFIG_LIST,
        .max = CONFIG_LIST_MAX,
        .offset = offsetof(struct update_config, files),
        .line_offset = offsetof(struct update_config, files_line),
        .check = check_file,
    },
    {
        .name = "folder",
        .type = CONFIG_TEXT,
        .max = PATH_MAX - 1,
        .offset = offsetof(struct update_config, folder),
        .check = check_absolute,
    },
    {
        .name = "freshclam",
        .type = CONFIG_TEXT,
        .max = 255,
        .offset = offsetof(struct update_config, freshclam),
        .line_offset = offsetof(struct update_config, freshclam_line),
        .check = check_freshclam,
    },
    {
        .name = "proxy",
        .type = CONFIG_TEXT,
        .max = 255,
        .offset = offsetof(struct update_config, proxy),
        .check = check_proxy,
    },
    {
        .name = "allow-http",
        .type = CONFIG_BOOL,
        .offset = offsetof(struct update_config, allows_http),
    },
    {
        .name = "max-file-size",
        .type = CONFIG_SIZE,
        .min = 1,
        .max = UINT64_C(8) << 30,
        .offset = offsetof(struct update_config, file_bytes_max),
    },
    {
        .name = "timeout",
        .type = CONFIG_DURATION,
        .min = 1000,
        .max = UINT64_C(24) * 60 * 60 * 1000,
        .offset = offsetof(struct update_config, timeout_ms),
    },
    {
        .name = "stale-after",
        .type = CONFIG_COUNT,
        .min = 1,
        .max = 3650,
        .offset = offsetof(struct update_config, stale_after_days),
    },
};

static const struct config_section sections[] = {
    {.keys = keys, .n_keys = sizeof(keys) / sizeof(keys[0]), .target = top_target},
};

static const struct config_schema schema = {
    .sections = sections,
    .n_sections = sizeof(sections) / sizeof(sections[0]),
    .reset = reset,
};

/* What one key alone does not show. */
static void check_whole(const struct update_config *config, const char *file,
                        struct problems *problems)
{
    static const char remedy[] = "anybody on the way can change it; use https://, or set "
                                 "allow-http = yes if the way is your own";
    char quote[PROBLEMS_QUOTE_BYTES];
    int n_sources = (config->files.n > 0) + (config->folder != NULL) + (config->freshclam != NULL);

    if (n_sources != 1) {
        problems_add(problems, file, 0,
                     "%s; give one of files = { ... }, folder = \"...\" and freshclam = \"...\"",
                     n_sources == 0 ? "no source is given" : "more than one source is given");
    }
    for (size_t i = 0; i < config->files.n && !config->allows_http; i++) {
        if (strstr(config->files.items[i], "=http://")) {
            problems_add(problems, file, config->files_line, "files: '%s': %s",
                         problems_quote(config->files.items[i], quote), remedy);
        }
    }
    if (config->freshclam && begins_with(config->freshclam, "http://") && !config->allows_http) {
        problems_add(problems, file, config->freshclam_line, "freshclam: %s", remedy);
    }
}

static void tell_all(const struct problems *problems)
{
    for (size_t i = 0; i < problems_n_kept(problems); i++) {
        tell("%s", problems->lines[i]);
    }
    if (problems->n > problems_n_kept(problems)) {
        tell("and %zu mistakes more", problems->n - problems_n_kept(problems));
    }
}

int update_config_load(struct update_config *ret, const char *folder, const char *name)
{
    CLEANUP(freep) struct problems *problems = calloc(1, sizeof(*problems));
    CLEANUP(freep) char *text = NULL;
    char file[PATH_MAX];
    size_t n_text = 0;
    int r;

    set_defaults(ret);
    if (!problems) {
        return -ENOMEM;
    }
    r = snprintf(file, sizeof(file), "%s/updates.d/%s.conf", folder, name);
    if (r < 0 || (size_t)r >= sizeof(file) || access(file, F_OK) < 0) {
        return UPDATE_CONFIG_E_NONE;
    }
    r = config_text_read(file, true, problems, &text, &n_text);
    if (r == 0) {
        r = config_parse(&schema, ret, file, text, n_text, problems);
    }
    if (r < 0) {
        return r;
    }
    if (problems->n == 0) {
        check_whole(ret, file, problems);
    }
    tell_all(problems);
    if (problems->n > 0) {
        update_config_fini(ret);
        return UPDATE_CONFIG_E_BAD;
    }
    return 0;
}
