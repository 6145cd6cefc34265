// What the page says, in Chinese and in English: one row a text. {name} is filled in.

const kWords = {
  // Head and list of conversations.
  conversations: ["对话", "Conversations"],
  new_conversation: ["新对话", "New conversation"],
  untitled: ["未命名", "Untitled"],
  title: ["标题", "Title"],
  search: ["搜索所有对话", "Search all conversations"],
  found_none: ["没有找到", "Nothing found"],
  no_conversations: ["还没有对话", "No conversations yet"],
  import: ["导入", "Import"],
  export_one: ["导出此对话", "Export this"],
  export_all: ["导出全部", "Export all"],
  model: ["模型", "Model"],
  settings: ["设置", "Settings"],
  shortcuts: ["快捷键", "Shortcuts"],
  close: ["关闭", "Close"],
  is_answering: ["正在回答", "answering"],
  has_news: ["有新回答", "new answer"],
  skip: ["跳到输入框", "Skip to the message box"],
  // Messages.
  messages: ["消息", "Messages"],
  you: ["你", "You"],
  assistant: ["助手", "Assistant"],
  welcome: ["问点什么吧。对话只保存在这个浏览器里。", "Ask something. Conversations are stored in this browser only."],
  thinking: ["正在思考…", "Thinking…"],
  thought: ["思考过程", "Reasoning"],
  thought_for: ["思考了 {time}", "Thought for {time}"],
  copy: ["复制", "Copy"],
  copied: ["已复制", "Copied"],
  cannot_copy: ["浏览器不允许复制", "The browser does not allow copying"],
  edit: ["编辑", "Edit"],
  again: ["重新回答", "Regenerate"],
  go_on: ["继续", "Continue"],
  remove: ["删除", "Delete"],
  removed: ["已删除 {count} 条消息", "Messages deleted: {count}"],
  removed_conversation: ["已删除对话“{title}”", "Conversation “{title}” deleted"],
  undo: ["撤销", "Undo"],
  save: ["保存", "Save"],
  send_edited: ["发送修改", "Send changed message"],
  cancel: ["取消", "Cancel"],
  edited_text: ["修改消息", "Changed message"],
  earlier: ["上一个版本", "Previous version"],
  later: ["下一个版本", "Next version"],
  version: ["版本 {number}，共 {count} 个", "Version {number} of {count}"],
  new_text: ["有新内容 ↓", "New text ↓"],
  counts: ["{tokens} 词元", "{tokens} tokens"],
  speed: ["{speed} 词元/秒", "{speed} tokens/s"],
  prompt_counts: ["提示 {tokens} 词元", "prompt {tokens} tokens"],
  first_token: ["首词元 {time}", "first token {time}"],
  votes: ["投票 {votes}", "votes {votes}"],
  seed_of: ["种子 {seed}", "seed {seed}"],
  is_stopped: ["已停止", "Stopped"],
  is_cut: ["达到了词元上限", "The token limit was reached"],
  is_filtered: ["内容过滤器结束了这个回答", "A content filter ended this answer"],
  is_empty: ["模型没有回答任何内容", "The model answered nothing"],
  seconds: ["{value} 秒", "{value} s"],
  minutes: ["{minutes} 分 {value} 秒", "{minutes} min {value} s"],
  // The box.
  message: ["消息", "Message"],
  ask: ["输入消息…", "Write a message…"],
  send: ["发送", "Send"],
  stop: ["停止", "Stop"],
  // Status for screen readers.
  answering: ["正在回答", "Answering"],
  answered: ["回答完成，共 {count} 字", "Answer complete, {count} words"],
  stopped: ["回答已停止", "Answer stopped"],
  imported: ["已导入 {count} 个对话", "Conversations imported: {count}"],
  exported: ["已导出", "Exported"],
  // Settings.
  language: ["语言", "Language"],
  theme: ["主题", "Theme"],
  theme_auto: ["跟随系统", "System"],
  theme_light: ["浅色", "Light"],
  theme_dark: ["深色", "Dark"],
  key: ["API 密钥", "API key"],
  key_help: ["只保存到此标签页关闭为止。", "Kept until this tab is closed."],
  system: ["系统提示词", "System prompt"],
  system_help: ["用于此对话和之后的新对话。", "For this conversation and new ones."],
  parameters: ["参数", "Parameters"],
  parameters_help: ["留空则使用服务器的默认值（灰色所示）。", "Empty fields leave the server's defaults, shown in grey."],
  reset: ["全部恢复默认", "Reset all"],
  temperature: ["温度", "Temperature"],
  top_p: ["Top-p", "Top-p"],
  top_k: ["Top-k", "Top-k"],
  min_p: ["Min-p", "Min-p"],
  max_completion_tokens: ["最多词元数", "Most tokens"],
  seed: ["随机种子", "Seed"],
  samples: ["投票的思维链数", "Chains that vote"],
  repetition_penalty: ["重复惩罚", "Repetition penalty"],
  presence_penalty: ["存在惩罚", "Presence penalty"],
  frequency_penalty: ["频率惩罚", "Frequency penalty"],
  stop_texts: ["停止文本（每行一个）", "Stop texts (one a line)"],
  unlimited: ["不限", "no limit"],
  random: ["随机", "random"],
  bad_number: ["{name}：应为 {low} 到 {high} 之间的数", "{name}: expected a number from {low} to {high}"],
  // Shortcuts.
  key_enter: ["发送消息", "Send the message"],
  key_shift_enter: ["换行", "New line"],
  key_escape: ["停止回答", "Stop the answer"],
  key_up: ["输入框为空时：编辑上一个问题", "In an empty box: edit the last question"],
  key_n: ["新对话", "New conversation"],
  key_k: ["搜索", "Search"],
  key_r: ["重新回答", "Regenerate the last answer"],
  key_slash: ["显示快捷键", "Show the shortcuts"],
  // Errors.
  retry: ["重试", "Try again"],
  lost: ["与服务器的连接断开了。已收到的内容已保存。", "The connection to the server was lost. What had arrived is kept."],
  unreachable: ["连不上服务器。", "The server cannot be reached."],
  need_key: ["服务器需要 API 密钥，请在设置里填写。", "The server needs an API key: enter it in the settings."],
  too_many: ["请求太多。", "Too many requests."],
  too_many_wait: ["请求太多，请在 {time}后重试。", "Too many requests: try again in {time}."],
  no_quota: ["今天的词元配额已用完。", "The quota of tokens for today is used up."],
  too_long: ["对话超出了模型的上下文长度。请删除一些消息，或开始新对话。",
             "The conversation is longer than the model's context. Delete some messages or begin a new conversation."],
  no_model: ["服务器没有这个模型。", "The server does not have this model."],
  not_ready: ["服务器正在启动或停止，请稍后重试。", "The server is starting or stopping: try again soon."],
  overloaded: ["服务器很忙，请在 {time}后重试。", "The server is busy: try again in {time}."],
  refused: ["服务器拒绝了请求（{status}）。", "The server refused the request ({status})."],
  server_fault: ["服务器出错了（{status}）。", "The server failed ({status})."],
  cannot_store: ["浏览器无法保存对话：关闭页面后会丢失。", "The browser cannot store conversations: they are lost when the page closes."],
  bad_import: ["无法导入：{reason}", "Cannot import: {reason}"],
  server_says: ["服务器：{message}", "Server: {message}"],
};

export const kLanguages = {"zh-CN": "中文", en: "English"};

let column = 0;

export const language = () => Object.keys(kLanguages)[column];

export function speak(name) { column = Math.max(0, Object.keys(kLanguages).indexOf(name)); }

// The language that a browser asks for.
export const preferred = (languages) => languages[0]?.toLowerCase().startsWith("zh") ? "zh-CN" : "en";

export function say(name, values = {}) {
  if (!Object.hasOwn(kWords, name)) throw new Error(`words.js has no text ${name}`);
  return kWords[name][column].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export const kWordNames = Object.keys(kWords);

export const number = (value, digits = 0) =>
    value.toLocaleString(language(), {minimumFractionDigits: digits, maximumFractionDigits: digits});

export function duration(seconds) {
  if (seconds < 60) {
    return say("seconds", {value: number(seconds, seconds < 9.95 && !Number.isInteger(seconds) ? 1 : 0)});
  }
  const whole = Math.round(seconds);
  return say("minutes", {minutes: number(Math.floor(whole / 60)), value: whole % 60});
}

// Fills in the texts of elements with data-word, data-label (for screen readers) and data-hint (in an empty field).
export function translate(root) {
  const each = (name, set) =>
      root.querySelectorAll(`[data-${name}]`).forEach((one) => set(one, say(one.dataset[name])));
  each("word", (one, text) => { one.textContent = text; });
  each("label", (one, text) => one.setAttribute("aria-label", text));
  each("hint", (one, text) => { one.placeholder = text; });
}

// How many words a text has; each Chinese character is one.
export const countWords = (text) => (text.match(/\p{Script=Han}|[\p{L}\p{N}_'’]+/gu) ?? []).length;

// The language of a text, for screen readers.
export const languageOf = (text) => /\p{Script=Han}/u.test(text) ? "zh-CN" : /[A-Za-z]{3}/.test(text) ? "en" : "";
