/*
 * pes kinds: what can be asked about. Needs no service.
 */
#include <stdio.h>

#include <pes/enums.h>
#include <pes/names.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/outcome.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {.heading = "KIND"},
    {.heading = "WHAT IT IS"},
};

static int print_json(void)
{
    json_t *list = json_array();
    uint32_t kind;

    for (size_t i = 0; (kind = pes_kind_at(i)) != PES_KIND_NONE; i++) {
        json_array_append_new(list, json_pack("{s:s, s:i, s:s}", "name", pes_kind_name(kind),
                                              "number", (int)kind, "doc", pes_kind_doc(kind)));
    }
    return json_print_line(json_pack("{s:o}", "kinds", list));
}

static int print_text(void)
{
    CLEANUP(table_freep) struct libscols_table *table = NULL;
    uint32_t kind;
    int r = table_new(&table, columns, 2);

    for (size_t i = 0; r == 0 && (kind = pes_kind_at(i)) != PES_KIND_NONE; i++) {
        r = table_add(table, (const char *[]){pes_kind_name(kind), pes_kind_doc(kind)}, 2);
    }
    return r < 0 ? r : table_print(table);
}

static int run(int argc, char **argv)
{
    struct command_output output;
    int r = command_parse_output(&command_kinds, argc, argv, &output);

    if (r != COMMAND_GO) {
        return r;
    }
    r = output.is_json ? print_json() : print_text();
    return r < 0 ? EXIT_NOT_ASKED : command_finish(EXIT_CLEAN);
}

static const char help_text[] =
    "Usage: pes kinds [--json]\n"
    "\n"
    "Lists the kinds of content that can be asked about ('pes scan --kind KIND').\n"
    "\n"
    "      --json           one JSON object on stdout\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0. 64 wrong use.\n";

const struct command command_kinds = {
    .name = "kinds",
    .summary = "what can be asked about",
    .help = help_text,
    .run = run,
};
