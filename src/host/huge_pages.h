/* What was loaded, on huge pages: forking copies two megabytes at a time then. */
#pragma once

/* Puts all larger private memory of this process on huge pages where the kernel can. `maps_fd` is
 * /proc/self/maps. Never fails: then a fork takes longer, nothing else. */
void huge_pages_collapse(int maps_fd);
