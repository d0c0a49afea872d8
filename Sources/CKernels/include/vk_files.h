// What Swift cannot call of the C library by itself.
#ifndef VISE_VK_FILES_H
#define VISE_VK_FILES_H

/// Lets two paths of one file system change places in one step: renameat2(2) with RENAME_EXCHANGE.
int vk_exchange(const char *first, const char *second);

/// Bytes of memory of the machine, or of the control group if that may have fewer; -1 where the system does not tell.
long long vk_total_memory(void);

/// Bytes of it that can be taken without pushing others out of it; -1 where the system does not tell.
long long vk_available_memory(void);

/// Lets the disk begin to take `count` bytes of a file, and does not wait for it: sync_file_range(2).
void vk_begin_writeback(int descriptor, long offset, long count);

#endif
