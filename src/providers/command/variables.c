/*
 * variables: values that a script gives to names, and those that every Windows gives.
 *
 * Names are compared without regard to case, since two of the three shells do so and nobody hides
 * behind the difference. Values keep their ranges. Beyond the limits a value is not kept, and
 * is_full says so: then a view is incomplete.
 */
#include "providers/command/variables.h"

#include <string.h>

struct system_variable {
    const char *name;
    const char *value;
};

/* What people cut single letters from, and where files are put. */
static const struct system_variable system_variables[] = {
    {"pshome", "C:\\Windows\\System32\\WindowsPowerShell\\v1.0"},
    {"shellid", "Microsoft.PowerShell"},
    {"verbosepreference", "SilentlyContinue"},
    {"env:comspec", "C:\\Windows\\System32\\cmd.exe"},
    {"env:public", "C:\\Users\\Public"},
    {"env:systemroot", "C:\\Windows"},
    {"env:windir", "C:\\Windows"},
    {"env:username", "user"},
    {"env:userprofile", "C:\\Users\\user"},
    {"env:temp", "C:\\Users\\user\\AppData\\Local\\Temp"},
    {"env:tmp", "C:\\Users\\user\\AppData\\Local\\Temp"},
    {"env:appdata", "C:\\Users\\user\\AppData\\Roaming"},
    {"env:localappdata", "C:\\Users\\user\\AppData\\Local"},
    {"env:programdata", "C:\\ProgramData"},
    {"env:pathext", ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC"},
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool name_is(const char *name, size_t n, const uint8_t *other, size_t n_other)
{
    if (n != n_other) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if ((uint8_t)name[i] != lower(other[i])) {
            return false;
        }
    }
    return true;
}

void variables_fini(struct variables *variables)
{
    for (size_t i = 0; i < variables->n; i++) {
        text_fini(&variables->entries[i].value);
    }
    variables->n = 0;
}

static struct variable *find(struct variables *variables, const uint8_t *name, size_t n_name)
{
    for (size_t i = 0; i < variables->n; i++) {
        struct variable *variable = &variables->entries[i];

        if (name_is(variable->name, variable->n_name, name, n_name)) {
            return variable;
        }
    }
    return NULL;
}

void variables_set(struct variables *variables, const uint8_t *name, size_t n_name,
                   const struct text *value)
{
    struct variable *variable = find(variables, name, n_name);

    if (n_name == 0 || n_name > VARIABLE_NAME_MAX || value->n > VARIABLE_VALUE_MAX) {
        variables->is_full = true;
        return;
    }
    if (!variable) {
        if (variables->n == VARIABLES_MAX) {
            variables->is_full = true;
            return;
        }
        variable = &variables->entries[variables->n++];
        for (size_t i = 0; i < n_name; i++) {
            variable->name[i] = (char)lower(name[i]);
        }
        variable->n_name = n_name;
    } else {
        text_fini(&variable->value);
    }
    variable->value = TEXT_INIT(VARIABLE_VALUE_MAX);
    text_put_part(&variable->value, value, 0, value->n);
}

const struct text *variables_get(const struct variables *variables, const uint8_t *name,
                                 size_t n_name)
{
    struct variable *variable = find((struct variables *)variables, name, n_name);

    return variable ? &variable->value : NULL;
}

bool variables_put_system(const uint8_t *name, size_t n_name, bool is_environment, struct span span,
                          struct text *ret_text)
{
    for (size_t i = 0; i < sizeof(system_variables) / sizeof(system_variables[0]); i++) {
        const struct system_variable *variable = &system_variables[i];

        const char *known = variable->name + (is_environment ? strlen("env:") : 0);

        if (strncmp(variable->name, "env:", 4) != 0 && is_environment) {
            continue;
        }
        if (name_is(known, strlen(known), name, n_name)) {
            text_put_bytes(ret_text, variable->value, strlen(variable->value), span);
            return true;
        }
    }
    return false;
}
