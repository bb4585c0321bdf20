/** What the operating system says of a path, in words. */
const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'a file is needed here, not a folder',
  EEXIST: 'a file stands where a folder is needed',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EACCES: 'this user may not use it',
  EPERM: 'this user may not use it',
  EROFS: 'it lies on a file system that is read-only',
  ENOSPC: 'there is no room left',
}

/** One line about a file that could not be used, when that is what went wrong: the user's to repair, and no stack trace. */
export function fileMistake(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return undefined
  const why = words[error.code]
  if (why === undefined) return undefined
  const path = 'path' in error && typeof error.path === 'string' ? error.path : 'a file that was named'
  return `${path}: ${why} (${error.code}). Name another path.`
}
