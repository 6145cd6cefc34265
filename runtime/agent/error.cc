#include <tinyllm/runtime/agent/error.h>

#include <cerrno>
#include <cstring>

namespace tinyllm::agent {

Code code_of_errno(int error) {
  switch (error) {
    case ELOOP:
      return Code::symlink;
    case EXDEV:
      return Code::other_filesystem;
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EEXIST:
      return Code::exists;
    case ENOTEMPTY:
      return Code::not_empty;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::permission;
    case ENOSPC:
    case EDQUOT:
      return Code::no_space;
    case ENAMETOOLONG:
      return Code::bad_name;
    case EFBIG:
      return Code::too_large;
    default:
      return Code::io;
  }
}

AgentError system_error(const std::string& what, int error) {
  return AgentError(code_of_errno(error), "{}: {}", what, std::strerror(error));
}

}  // namespace tinyllm::agent
