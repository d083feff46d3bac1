/*
 * What can be said about one provider.
 *
 * A provider's file is its own so that a package can bring one and take it away again. The file
 * of a package that was removed stays until it is purged, so it can call its module optional.
 * Whether the module is any good is not looked at here: only that there is a file to load, since a
 * typing error is worth a line number.
 */
#include "launcher/config_provider.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/config_value.h"
#include "wire/names.h"

void config_provider_init(struct config_provider *provider)
{
    *provider = (struct config_provider){
        .n_workers = 2,
        .load_timeout_ms = CONFIG_LOAD_TIMEOUT_MS,
        .swap = CONFIG_SWAP_AUTO,
        .is_enabled = 1,
    };
}

void config_provider_fini(struct config_provider *provider)
{
    free(provider->name);
    free(provider->file);
    free(provider->module);
    free(provider->definitions);
    config_list_fini(&provider->options);
    config_provider_init(provider);
}

static void reset(void *config)
{
    config_provider_fini(config);
}

static void *top_target(struct config_parse *parse)
{
    return config_parse_config(parse);
}

static void check_name(struct config_parse *parse, const char *value)
{
    if (!config_value_is_name(value)) {
        config_parse_problem(parse, "name: give letters, digits, '.', '_' and '-', at most 32, "
                                    "first a letter or digit");
    }
}

/* A relative path that climbs out of its folder is a mistake, or somebody's trick. */
static void check_path(struct config_parse *parse, const char *value)
{
    if (value[0] != '/' && (strcmp(value, "..") == 0 || strncmp(value, "../", 3) == 0 ||
                            strstr(value, "/../") != NULL)) {
        config_parse_problem(parse, "a relative path with '..'; give an absolute one");
    }
}

/* As many as the provider is let to read; an empty part would be the whole of share/pes. */
static void check_definitions_list(struct config_parse *parse, const char *value)
{
    size_t n = 1;

    for (const char *at = value; (at = strchr(at, ':')); at++) {
        n++;
    }
    if (n > CONFIG_DEFINITIONS_MAX) {
        config_parse_problem(parse, "definitions: %zu paths, at most %d may be given", n,
                             CONFIG_DEFINITIONS_MAX);
    }
    if (value[0] == ':' || value[strlen(value) - 1] == ':' || strstr(value, "::")) {
        config_parse_problem(parse, "definitions: there is nothing before or after a ':'");
    }
    check_path(parse, value);
}

static const struct name_row swap_rows[] = {
    {CONFIG_SWAP_AUTO, "auto"},
    {CONFIG_SWAP_PARALLEL, "parallel"},
    {CONFIG_SWAP_SERIAL, "serial"},
};

static const struct name_table swap_names = {
    .rows = swap_rows,
    .n_rows = sizeof(swap_rows) / sizeof(swap_rows[0]),
};

static const struct config_key keys[] = {
    {
        .name = "name",
        .type = CONFIG_TEXT,
        .max = 64,
        .offset = offsetof(struct config_provider, name),
        .check = check_name,
    },
    {
        .name = "module",
        .type = CONFIG_TEXT,
        .max = 1024,
        .offset = offsetof(struct config_provider, module),
        .line_offset = offsetof(struct config_provider, module_line),
        .check = check_path,
    },
    {
        .name = "definitions",
        .type = CONFIG_TEXT,
        .max = 1024,
        .offset = offsetof(struct config_provider, definitions),
        .line_offset = offsetof(struct config_provider, definitions_line),
        .check = check_definitions_list,
    },
    {
        .name = "workers",
        .type = CONFIG_COUNT,
        .min = 1,
        .max = 16,
        .offset = offsetof(struct config_provider, n_workers),
    },
    {
        .name = "timeout",
        .type = CONFIG_DURATION,
        .min = 10,
        .max = CONFIG_TIMEOUT_MS_MAX,
        .offset = offsetof(struct config_provider, timeout_ms),
    },
    {
        .name = "load-timeout",
        .type = CONFIG_DURATION,
        .min = 100,
        .max = 60 * 60 * 1000,
        .offset = offsetof(struct config_provider, load_timeout_ms),
    },
    {
        .name = "swap",
        .type = CONFIG_ENUM,
        .names = &swap_names,
        .offset = offsetof(struct config_provider, swap),
    },
    {
        .name = "mode",
        .type = CONFIG_ENUM,
        .names = &wire_mode_names,
        .offset = offsetof(struct config_provider, mode),
    },
    {
        .name = "enabled",
        .type = CONFIG_BOOL,
        .offset = offsetof(struct config_provider, is_enabled),
    },
    {
        .name = "advisory",
        .type = CONFIG_BOOL,
        .offset = offsetof(struct config_provider, is_advisory),
    },
    {
        .name = "optional",
        .type = CONFIG_BOOL,
        .offset = offsetof(struct config_provider, is_optional),
    },
    {
        .name = "memory-mib",
        .type = CONFIG_COUNT,
        .min = 16,
        .max = 65536,
        .offset = offsetof(struct config_provider, memory_mib),
    },
    {
        .name = "scratch-mib",
        .type = CONFIG_COUNT,
        .min = 0,
        .max = 65536,
        .offset = offsetof(struct config_provider, scratch_mib),
    },
    {
        .name = "scans-per-worker",
        .type = CONFIG_COUNT,
        .min = 0,
        .max = 1000000,
        .offset = offsetof(struct config_provider, scans_per_worker),
    },
    {
        .name = "options",
        .type = CONFIG_LIST,
        .max = CONFIG_LIST_MAX,
        .offset = offsetof(struct config_provider, options),
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

static int name_from_file(struct config_provider *provider, const char *file,
                          struct problems *problems)
{
    const char *base = strrchr(file, '/');
    size_t n;

    base = base ? base + 1 : file;
    n = strlen(base);
    n -= n > 5 && strcmp(base + n - 5, ".conf") == 0 ? 5 : 0;
    provider->name = strndup(base, n);
    if (!provider->name) {
        return -ENOMEM;
    }
    if (!config_value_is_name(provider->name)) {
        problems_add(problems, file, 0,
                     "the file's name is no name for a provider; rename it or set name");
    }
    return 0;
}

int config_provider_parse(struct config_provider *provider, const char *file, char *text,
                          size_t n_text, struct problems *problems)
{
    size_t n_before = problems->n;
    int r = config_parse(&schema, provider, file, text, n_text, problems);

    if (r < 0) {
        return r;
    }
    provider->file = strdup(file);
    if (!provider->file) {
        return -ENOMEM;
    }
    if (!provider->name) {
        r = name_from_file(provider, file, problems);
    }
    if (r == 0 && !provider->module && problems->n == n_before) {
        problems_add(problems, file, 0, "no module is given; add module = \"NAME.so\"");
    }
    return r;
}

static int make_absolute(char **path, const char *folder)
{
    char joined[PATH_MAX];
    char *copy;
    int r;

    if (!*path) {
        return 0;
    }
    r = paths_join(joined, folder, *path);
    if (r < 0) {
        return 0; /* opening it will tell */
    }
    copy = strdup(joined);
    if (!copy) {
        return -ENOMEM;
    }
    free(*path);
    *path = copy;
    return 0;
}

/* A row of paths with ':' between them, each made absolute. */
static int make_all_absolute(char **paths, const char *folder)
{
    CLEANUP(freep) char *rest = *paths ? strdup(*paths) : NULL;
    CLEANUP(freep) char *joined = NULL;
    char *at = rest;
    char *part;

    if (!*paths) {
        return 0;
    }
    while (at && (part = strsep(&at, ":"))) {
        CLEANUP(freep) char *path = strdup(part);
        char *longer = NULL;

        if (!path || make_absolute(&path, folder) < 0 ||
            asprintf(&longer, "%s%s%s", joined ? joined : "", joined ? ":" : "", path) < 0) {
            return -ENOMEM;
        }
        free(joined);
        joined = longer;
    }
    if (!joined) {
        return -ENOMEM;
    }
    free(*paths);
    *paths = TAKE_PTR(joined);
    return 0;
}

static void check_exists(const struct config_provider *provider, uint32_t line, const char *key,
                         const char *path, bool wants_file, struct problems *problems)
{
    const char *file = provider->file ? provider->file : "built-in configuration";
    char quote[PROBLEMS_QUOTE_BYTES];
    struct stat st;

    if (stat(path, &st) < 0) {
        problems_add(problems, file, line, "%s '%s': %s", key, problems_quote(path, quote),
                     strerror(errno));
    } else if (wants_file && !S_ISREG(st.st_mode)) {
        problems_add(problems, file, line, "%s '%s' is not a regular file", key,
                     problems_quote(path, quote));
    }
}

static int check_definitions(const struct config_provider *provider, struct problems *problems)
{
    CLEANUP(freep) char *paths = provider->definitions ? strdup(provider->definitions) : NULL;
    char *at = paths;
    char *path;

    if (provider->definitions && !paths) {
        return -ENOMEM;
    }
    while (at && (path = strsep(&at, ":"))) {
        check_exists(provider, provider->definitions_line, "definitions", path, false, problems);
    }
    return 0;
}

int config_provider_resolve(struct config_provider *provider, const struct paths *paths,
                            struct problems *problems)
{
    int r = make_absolute(&provider->module, paths->providers);

    if (r == 0) {
        r = make_all_absolute(&provider->definitions, paths->share);
    }
    if (r == 0 && provider->is_optional && provider->module && access(provider->module, F_OK) < 0 &&
        errno == ENOENT) {
        provider->is_enabled = false; /* its package is not installed, or not any more */
    }
    if (r < 0 || !provider->is_enabled) {
        return r; /* what is switched off need not be there */
    }
    if (provider->module) {
        check_exists(provider, provider->module_line, "module", provider->module, true, problems);
    }
    return check_definitions(provider, problems);
}
