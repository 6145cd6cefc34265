// The forms of a clause, in Chinese and English.
#include <tinyllm/runtime/agent/clauses.h>

namespace tinyllm::agent {

// The first form that fits the whole clause and makes sense counts, so that the special ones come first.
const std::vector<Clauses::Form>& Clauses::forms() {
  static const std::vector<Form> all = {
      {words("^在 ?(.+?) ?(?:目录|文件夹)?(?:里|下|中|里面)? ?(?:创建|新建|建|写)(?:一篇|一个|个)?(?:名为|叫做|叫) "
             "?([^ ,]+?) ?的?(?:笔记|文件|文档)?(?:,? ?标题(?:是|为)?[: ]?(.+))?$"),
       &Clauses::create_in},
      {words("^(?:create|make) (?:an? )?(?:empty |new )?file (?:called |named )?(.+?)(?: in (.+))?$"),
       &Clauses::create},
      {words("^(?:新建|创建|建)(?:一个|个)?(?:空)?文件 ?([^ ]+)$"), &Clauses::create},
      {words("^(?:新建|创建|建立|建)(?:一个|个)?(?:目录|文件夹)? ?([^ ,]+?)(?:目录|文件夹)?$"), &Clauses::make_folder},
      {words("^(?:make|create) (?:a )?(?:new )?(?:folder|directory) (?:called |named )?([^ ]+)$"),
       &Clauses::make_folder},
      {words("^(.+?) ?(?:里面|里|中|下面|下)(?:有)?(?:哪些|什么) ?(.*?)$"), &Clauses::list_in},
      {words("^(?:列出|列一下|查找|找出|找一下|找|看看|list|find|show) ?(?:所有的?|全部)?(.+)$"), &Clauses::list},
      {words("^(?:which|what) files? (?:mention|contain)s? (.+)$"), &Clauses::mention},
      {words("^哪些文件(?:里)?(?:提到|包含|含有)了? ?(.+)$"), &Clauses::mention},
      {words("^(?:读(?:一下|一读)?|查看|打开|显示|看(?:一下)?|show me what's in|show me|read|open|cat|print) "
             "?(.+?)(?:的内容)?$"),
       &Clauses::read},
      {words("^(?:把|将) ?(.+?) ?(?:里面的|里的|中的|里面|里) ?(?:所有的?|全部的?)?(\x01[0-9]) "
             "?(?:全部|都)?(?:改成|改为|替换成|替换为|换成) ?(\x01[0-9])$"),
       &Clauses::replace},
      {words("^replace (every |all )?(\x01[0-9]) (?:with|by) (\x01[0-9]) in (.+)$"), &Clauses::replace_english},
      {words("^(?:在 ?)?(.+?) ?(?:的?(?:里面|里|中|末尾|最后))? ?(?:追加|添加|加上)(?:一条记录|一行|一条)?(?:: ?(.+)| "
             "?(\x01[0-9]))$"),
       &Clauses::append},
      {words("^(?:append|add) to (?:the end of )?([^:]+): ?(.+)$"), &Clauses::append},
      {words("^(?:append|add) (?:the (?:line|text|words?) )?(\x01[0-9]) to (?:the end of )?(.+)$"),
       &Clauses::append_quoted},
      {words("^(?:清空|empty) ?(?:the )?(.+?)(?:,? ?(?:但是?|不过|but|保留|留下|除了) "
             "?(?:不要删除?|别删|保留|留下|keep )? ?([^ ,]+?) "
             "?(?:不要删|别删|保留|留下|不删|以外|外)?)?$"),
       &Clauses::empty},
      {words("^(?:删除|删掉|删|移除|去掉|delete|del|remove) ?(.+)$"), &Clauses::remove},
      {words("^(?:把|将) ?(.+?) ?(?:都|全部)?(?:删除|删掉|删了|移除|去掉)$"), &Clauses::remove},
      {words("^(?:put|move) (?:everything|all files|all) (?:from|in) (.+) one level up$"), &Clauses::move_up},
      {words("^(?:把|将) ?(.+?) ?(?:里的|中的)?(?:东西|文件|内容)?(?:都|全部)?(?:移|挪|放)到上一级(?:目录)?$"),
       &Clauses::move_up},
      {words("^(?:把|将) ?(.+?) ?(?:都|全部)?(?:挪|移|放|搬)进去$"), &Clauses::move_into_new},
      {words("^(?:把|将)? ?(.+?) ?(?:移出来)?(?:都|全部)? ?(?:移动到|移到|移至|挪到|放到|放进|放入|搬到|move 到|move "
             "to) ?(.+?)(?: ?(?:里面|里|中|下)?去?)?$"),
       &Clauses::move},
      {words("^(?:move|put) (.+?) (?:in)?to (.+)$"), &Clauses::move},
      {words("^(?:把|将)? ?(.+?) ?(?:复制|拷贝|备份)(?:到|为|成|一份到) ?(.+?)$"), &Clauses::copy},
      {words("^(?:复制|拷贝|备份) ?(.+?) ?(?:到|为|成) ?(.+?)$"), &Clauses::copy},
      {words("^(?:copy|back up) (.+?) (?:in)?to (.+)$"), &Clauses::copy},
      {words("^swap the names of (.+?) and (.+)$"), &Clauses::swap_names},
      {words("^(?:交换|对调) ?(.+?) ?(?:和|与) ?(.+?) ?的(?:名字|文件名)$"), &Clauses::swap_names},
      {words("^(.+?) ?(?:里面的|里的|中的|里) ?([^ ]+) ?前缀(?:全部|都)?(?:换成|改成|改为) ?([^ ]+)$"),
       &Clauses::prefix},
      {words("^lowercase all (?:file )?extensions in (.+)$"), &Clauses::lower_extensions},
      {words("^(?:把|将)? ?(.+?) "
             "?(?:里面|里|中)?的?(?:所有)?(?:文件)?(?:扩展名|后缀)(?:都|全部)?(?:改成|变成|改为)小写$"),
       &Clauses::lower_extensions},
      {words("^(?:把|将)? ?(.+?) ?(?:重命名为|重命名成|改名为|改名成|改名叫|更名为) ?(.+)$"), &Clauses::rename},
      {words("^rename (.+?) (?:to|as) (.+)$"), &Clauses::rename},
      {words("^整理 ?([^:,]+)[:,] ?(.+放.+)$"), &Clauses::sort_into},
      {words("^(?:sort|organi[sz]e|group) (.+?) by ((?:file )?type|extension|month|year|day|date)$"),
       &Clauses::sort_by},
      {words("^(?:把|将)? ?(.+?) ?按 ?(文件类型|类型|扩展名|月份|月|年份|年|日期) ?(?:整理|归类|分类|分组)$"),
       &Clauses::sort_by},
      {words("^按 ?(文件类型|类型|扩展名|月份|月|年份|年|日期) ?(?:整理|归类|分类) ?(.+)$"), &Clauses::sort_by},
      {words("^(?:给|为) ?(.+?) ?(?:都)?(?:打上|加上|打|加|添加) ?(\x01[0-9]|[^ ,;]+?) ?(?:的)?标签$"), &Clauses::tag},
      {words("^tag (.+?) (?:with|as) (\x01[0-9]|[^ ,;]+)$"), &Clauses::tag},
      {words("^打上?标签 ?(\x01[0-9]|[^ ,;]+)$"), &Clauses::tag_last},
      {words("^(?:把|将)? ?(.+?) ?(?:打包|压缩)(?:成|为|到) ?([^ ,]+?)(?:,? ?(?:原文件保留|保留原文件))?$"),
       &Clauses::compress},
      {words("^(?:打包|压缩) ?(?:所有的?|全部的?)?(.+?) ?(?:成|为|到) ?([^ ,]+?)(?:,? ?(?:原文件保留|保留原文件))?$"),
       &Clauses::compress},
      {words("^(?:zip|compress|archive|pack) (.+?) (?:in)?to ([^ ]+)$"), &Clauses::compress},
      {words("^(?:把|将)? ?(.+?) ?解压缩?到 ?([^ ]+)$"), &Clauses::extract},
      {words("^解压缩? ?(.+?) ?到 ?([^ ]+)$"), &Clauses::extract},
      {words("^(?:unzip|extract|unpack) (.+?) (?:in)?to ([^ ]+)$"), &Clauses::extract}};
  return all;
}

}  // namespace tinyllm::agent
