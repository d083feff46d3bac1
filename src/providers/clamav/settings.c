/*
 * settings: the options of the provider, from one table.
 *
 * Sizes take K, M or G (powers of 1024), switches yes or no. Everything has a bound, and what is
 * out of it is refused by name: a limit of 0 would mean "none" to libclamav, which is no limit that
 * anybody should set by a slip.
 */
#include "providers/clamav/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024ull
#define MIB (1024ull * KIB)

/* libclamav cannot look at more. */
#define FILE_BYTES_MAX (2048ull * MIB - 1)

enum form {
    FORM_COUNT,
    FORM_SIZE,
    FORM_SWITCH,
};

struct row {
    const char *name;
    enum form form;
    size_t offset;
    uint64_t standard;
    uint64_t min;
    uint64_t max;
};

#define COUNT(name, member, standard, min, max)                                                    \
    {                                                                                              \
        (name), FORM_COUNT, offsetof(struct settings, member), (standard), (min), (max)            \
    }
#define SIZE(name, member, standard, min, max)                                                     \
    {                                                                                              \
        (name), FORM_SIZE, offsetof(struct settings, member), (standard), (min), (max)             \
    }
#define SWITCH(name, member, standard)                                                             \
    {                                                                                              \
        (name), FORM_SWITCH, offsetof(struct settings, member), (standard), 0, 1                   \
    }

static const struct row rows[] = {
    SIZE("max-scansize", max_scansize, 400 * MIB, MIB, 65536 * MIB),
    SIZE("max-filesize", max_filesize, 100 * MIB, 64 * KIB, FILE_BYTES_MAX),
    COUNT("max-recursion", max_recursion, 17, 1, 100),
    COUNT("max-files", max_files, 10000, 1, 1000000),
    COUNT("max-scantime", max_scantime, 120000, 10, 600000),
    SWITCH("all-match", all_match, 1),
    SWITCH("heuristics", heuristics, 1),
    SWITCH("pua", pua, 0),
    SWITCH("bytecode", bytecode, 1),
    SWITCH("phishing", phishing, 1),
    SWITCH("alert-macros", alert_macros, 0),
    SWITCH("alert-encrypted", alert_encrypted, 0),
    SWITCH("alert-broken", alert_broken, 0),
    SWITCH("alert-limits", alert_limits, 0),
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t *member_of(struct settings *settings, const struct row *row)
{
    return (uint64_t *)(void *)((char *)settings + row->offset);
}

void settings_init(struct settings *settings)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        *member_of(settings, &rows[i]) = rows[i].standard;
    }
}

const char *setting_name(size_t i)
{
    return i < N_ROWS ? rows[i].name : NULL;
}

static bool switch_read(const char *value, uint64_t *ret)
{
    *ret = strcmp(value, "yes") == 0;
    return *ret || strcmp(value, "no") == 0;
}

static bool number_read(const char *value, bool is_size, uint64_t *ret)
{
    unsigned shift = 0;
    char *end;

    if (*value < '0' || *value > '9') {
        return false;
    }
    errno = 0;
    *ret = strtoull(value, &end, 10);
    if (is_size && (*end == 'K' || *end == 'M' || *end == 'G')) {
        shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
        end++;
    }
    if (errno != 0 || *end != '\0' || *ret > UINT64_MAX >> shift) {
        return false;
    }
    *ret <<= shift;
    return true;
}

int setting_take(struct settings *settings, const char *name, const char *value,
                 struct load_error *error)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *row = &rows[i];
        uint64_t number;

        if (strcmp(row->name, name) != 0) {
            continue;
        }
        if (row->form == FORM_SWITCH) {
            if (!switch_read(value, &number)) {
                return load_error_set(error, "option %s=%s: give yes or no", name, value);
            }
        } else if (!number_read(value, row->form == FORM_SIZE, &number) || number < row->min ||
                   number > row->max) {
            return load_error_set(error, "option %s=%s: give a number from %llu to %llu%s", name,
                                  value, (unsigned long long)row->min, (unsigned long long)row->max,
                                  row->form == FORM_SIZE ? ", with K, M or G if you like" : "");
        }
        *member_of(settings, row) = number;
        return 0;
    }
    return load_error_set(error, "option %s: not known", name);
}
