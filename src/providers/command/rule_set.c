/*
 * rule_set: finds the files of rules, reads them all, and knows when a rule holds.
 *
 * It is all or nothing: with one mistake in one file nothing is loaded. The order of files is that
 * of their names, whatever the file system says.
 */
#include "providers/command/rule_set.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "providers/command/rule_file.h"
#include "providers/command/signals.h"

#define FILES_MAX      256
#define FILE_BYTES_MAX (4l << 20)

struct source {
    char *path;
    char *text;
    size_t n;
};

struct sources {
    struct source items[FILES_MAX];
    size_t n;
};

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

static int cannot_read(const char *path, int number, struct rule_error *error)
{
    return rule_error_add(error, "%s: cannot be read (%s); the provider's user must be able to",
                          path, strerror(number));
}

static int source_add(struct sources *sources, const char *path, struct rule_error *error)
{
    struct source *source = &sources->items[sources->n];
    FILE *file;
    struct stat info;
    int r = 0;

    if (sources->n == FILES_MAX) {
        return rule_error_add(error, "%s: more than %d files of rules; put some together", path,
                              FILES_MAX);
    }
    file = fopen(path, "re");
    if (!file) {
        return cannot_read(path, errno, error);
    }
    if (fstat(fileno(file), &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > FILE_BYTES_MAX) {
        r = rule_error_add(error, "%s: not a file of at most %ld MiB; take it away or split it",
                           path, FILE_BYTES_MAX >> 20);
    } else {
        source->path = strdup(path);
        source->text = malloc((size_t)info.st_size + 1);
        if (!source->path || !source->text) {
            r = rule_error_add(error, "%s: out of memory", path);
            free(source->path);
            free(source->text);
        } else {
            source->n = fread(source->text, 1, (size_t)info.st_size, file);
            source->text[source->n] = '\0';
            sources->n++;
        }
    }
    fclose(file);
    return r;
}

static int is_rule_file(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > 6 && strcmp(entry->d_name + n - 6, ".rules") == 0;
}

static int folder_add(struct sources *sources, const char *path, struct rule_error *error)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, is_rule_file, alphasort);
    int r = 0;

    if (n < 0) {
        return cannot_read(path, errno, error);
    }
    for (int i = 0; i < n; i++) {
        char *file = NULL;

        if (r == 0 && asprintf(&file, "%s/%s", path, entries[i]->d_name) > 0) {
            r = source_add(sources, file, error);
            free(file);
        }
        free(entries[i]);
    }
    free(entries);
    if (r == 0 && n == 0) {
        r = rule_error_add(error, "%s: no rules in it; put *.rules files there", path);
    }
    return r;
}

static int path_add(struct sources *sources, const char *path, struct rule_error *error)
{
    struct stat info;

    if (stat(path, &info) < 0) {
        return errno == ENOENT ? rule_error_add(error,
                                                "%s: does not exist; correct `definitions` in the "
                                                "provider's configuration",
                                                path)
                               : cannot_read(path, errno, error);
    }
    return S_ISDIR(info.st_mode) ? folder_add(sources, path, error)
                                 : source_add(sources, path, error);
}

static int paths_add(struct sources *sources, const char *paths, struct rule_error *error)
{
    char *copy = strdup(paths);
    char *rest = copy;
    int r = copy ? 0 : rule_error_add(error, "out of memory");

    while (rest && r == 0) {
        char *path = strsep(&rest, ":");

        if (*path != '\0') {
            r = path_add(sources, path, error);
        }
    }
    free(copy);
    if (r == 0 && sources->n == 0) {
        r = rule_error_add(error,
                           "no folder given; set `definitions` in the provider's configuration");
    }
    return r;
}

/* FNV-1a: tells two versions apart, nothing more. */
static uint64_t digest(uint64_t value, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        value = (value ^ (uint8_t)bytes[i]) * 0x100000001b3u;
    }
    return value;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Keeps a name for as long as the set. */
static const char *file_keep(struct rule_set *set, const char *name)
{
    char **grown = reallocarray(set->files, set->n_files + 1, sizeof(*grown));

    if (!grown) {
        return NULL;
    }
    set->files = grown;
    set->files[set->n_files] = strdup(name);
    return set->files[set->n_files] ? set->files[set->n_files++] : NULL;
}

static int sources_read(struct rule_set *set, const struct sources *sources,
                        struct rule_error *error)
{
    set->digest = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sources->n; i++) {
        const struct source *source = &sources->items[i];

        if (!file_keep(set, source->path)) {
            return rule_error_add(error, "out of memory");
        }
        set->digest = digest(set->digest, base_name(source->path), strlen(base_name(source->path)));
        set->digest = digest(set->digest, source->text, source->n);
        (void)rule_file_read_patterns(set, set->files[i], source->text, source->n, error);
    }
    for (size_t i = 0; i < sources->n && error->n_errors == 0; i++) {
        (void)rule_file_read_rules(set, set->files[i], sources->items[i].text, sources->items[i].n,
                                   error);
    }
    if (error->n_errors == 0 && set->n_rules == 0) {
        return rule_error_add(error, "%s: no rules; add some", set->files[0]);
    }
    return error->n_errors == 0 ? 0 : -1;
}

int rule_set_load(struct rule_set *set, const char *paths, struct rule_error *error)
{
    struct sources *sources = calloc(1, sizeof(*sources));
    int r;

    set->patterns = pattern_set_new(PATTERN_SET_BYTES);
    if (!sources || !set->patterns) {
        free(sources);
        return rule_error_add(error, "out of memory; give the provider more (`memory-mib`)");
    }
    r = paths_add(sources, paths, error);
    if (r == 0) {
        r = sources_read(set, sources, error);
    }
    if (r == 0 && pattern_set_compile(set->patterns) < 0) {
        r = rule_error_add(error, "the expressions are too many or too large for RE2; take some "
                                  "away");
    }
    for (size_t i = 0; i < sources->n; i++) {
        free(sources->items[i].path);
        free(sources->items[i].text);
    }
    free(sources);
    return r;
}

void rule_set_fini(struct rule_set *set)
{
    for (size_t i = 0; i < set->n_rules; i++) {
        struct rule *rule = &set->rules[i];

        for (size_t t = 0; t < rule->n_tests; t++) {
            free(rule->tests[t].text);
        }
        free(rule->tests);
        free(rule->clauses);
        free(rule->name);
    }
    free(set->rules);
    for (size_t i = 0; i < set->n_pattern_names; i++) {
        free(set->pattern_names[i]);
    }
    free(set->pattern_names);
    free(set->name_of_expression);
    for (size_t i = 0; i < set->known.n; i++) {
        free(set->known.patterns[i]);
    }
    free(set->known.patterns);
    for (size_t i = 0; i < set->n_files; i++) {
        free(set->files[i]);
    }
    free(set->files);
    if (set->patterns) {
        pattern_set_free(set->patterns);
    }
    *set = (struct rule_set)RULE_SET_INIT;
}

int rule_set_signal(const struct rule_set *set, const char *name, size_t n)
{
    for (unsigned i = 0; i < FACT_COUNT; i++) {
        if (strlen(fact_name((enum fact)i)) == n && memcmp(fact_name((enum fact)i), name, n) == 0) {
            return (int)i;
        }
    }
    for (size_t i = 0; i < set->n_pattern_names; i++) {
        if (strlen(set->pattern_names[i]) == n && memcmp(set->pattern_names[i], name, n) == 0) {
            return (int)(FACT_COUNT + i);
        }
    }
    return -1;
}

static bool term_holds(const struct rule_term *term, const uint8_t *present)
{
    for (size_t i = 0; i < term->n; i++) {
        if (present[term->signals[i]]) {
            return !term->is_negated;
        }
    }
    return term->is_negated;
}

bool rule_holds(const struct rule *rule, const uint8_t *present,
                const struct rule_clause **ret_clause)
{
    for (size_t i = 0; i < rule->n_clauses; i++) {
        const struct rule_clause *clause = &rule->clauses[i];
        size_t n = 0;

        while (n < clause->n && term_holds(&clause->terms[n], present)) {
            n++;
        }
        if (n == clause->n) {
            *ret_clause = clause;
            return true;
        }
    }
    return false;
}
