/* Reads the reviewed list: a line with a profile's name and a colon, then a line per call. */
#include "golden.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/seccomp_extra.h"

static void add(struct golden *golden, int number, enum golden_rule rule)
{
    if (number >= 0 && number <= KIT_CALLS_MAX && golden->rules[number] < rule) {
        golden->n += golden->rules[number] == GOLDEN_FORBIDDEN;
        golden->rules[number] = rule;
    }
}

bool golden_read(struct golden *ret_golden, const char *profile)
{
    const char *path = getenv("PES_ALLOWED_CALLS");
    FILE *file = path ? fopen(path, "r") : NULL;
    bool is_ours = false;
    char line[128], name[64];

    *ret_golden = (struct golden){.n = 0};
    if (!file) {
        return false;
    }
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != ' ') {
            is_ours = strncmp(line, profile, strlen(profile)) == 0 &&
                      strcmp(line + strlen(profile), ":") == 0;
        } else if (is_ours && sscanf(line, " %63s", name) == 1) {
            add(ret_golden, seccomp_syscall_resolve_name(name),
                strstr(line, "with conditions") ? GOLDEN_CONDITIONAL : GOLDEN_ALLOWED);
        }
    }
    fclose(file);
    for (size_t i = 0; i < SECCOMP_N_EXTRA_RULES; i++) {
        add(ret_golden, seccomp_extra_rules[i].number, GOLDEN_CONDITIONAL);
    }
    return ret_golden->n > 0;
}

bool golden_is_refusal(int number, const char *result)
{
    if (number == 335 || number == 336) {
        return strcmp(result, "SIGSYS") == 0 || strcmp(result, "SIGILL") == 0 ||
               strcmp(result, "ENXIO") == 0 || strcmp(result, "ENOSYS") == 0;
    }
    return strcmp(result, "SIGSYS") == 0 || strcmp(result, "ENOTTY") == 0 ||
           strcmp(result, "ENOENT") == 0 || kit_is_refusal(result);
}

void golden_intersect(struct golden *golden, const struct golden *other)
{
    for (size_t i = 0; i <= KIT_CALLS_MAX; i++) {
        if (other->rules[i] < golden->rules[i]) {
            golden->n -= other->rules[i] == GOLDEN_FORBIDDEN;
            golden->rules[i] = other->rules[i];
        }
    }
}
