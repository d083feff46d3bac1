/*
 * A count of what a recursive scan will meet, for its progress bar.
 *
 * It walks the same folders once more, ahead of the scan and a few hundred entries at a time, and
 * only when somebody is shown a bar. Whatever goes wrong here is left to the scan to tell.
 */
#include "cli/item_count.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cli/walk.h"

void item_count_init(struct item_count *count, char *const *paths, size_t n_paths,
                     bool is_recursive)
{
    *count = (struct item_count){.paths = paths, .n_paths = n_paths, .is_recursive = is_recursive};
}

void item_count_fini(struct item_count *count)
{
    walk_free(TAKE_PTR(count->walk));
}

static void step_path(struct item_count *count)
{
    const char *path = count->paths[count->next_path++];
    int fd = count->is_recursive ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd < 0 || walk_new(&count->walk, fd, path) < 0) {
        count->n_items++; /* a file, or a folder that the scan will complain about */
    }
}

static void step_walk(struct item_count *count)
{
    CLEANUP(walk_entry_fini) struct walk_entry entry = WALK_ENTRY_INIT;

    if (walk_next(count->walk, &entry) != 0) {
        walk_free(TAKE_PTR(count->walk));
    } else if (entry.error != 0 || !S_ISLNK(entry.st.st_mode)) {
        count->n_items++;
    }
}

void item_count_step(struct item_count *count, size_t n_steps)
{
    while (n_steps-- > 0 && !count->is_complete) {
        if (count->walk) {
            step_walk(count);
        } else if (count->next_path < count->n_paths) {
            step_path(count);
        } else {
            count->is_complete = true;
        }
    }
}
