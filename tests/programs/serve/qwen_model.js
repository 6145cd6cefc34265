// A model folder as others save it: a Qwen3 of random weights, whose template writes calls as <tool_call>.
'use strict';
const fs = require('fs');
const path = require('path');

const config = {
  architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3', vocab_size: 640, hidden_size: 32, intermediate_size: 48,
  num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1, head_dim: 16, max_position_embeddings: 2048,
  rms_norm_eps: 1e-6, hidden_act: 'silu', rope_theta: 1000000, tie_word_embeddings: true,
};

function tensors() {
  const { hidden_size: c, intermediate_size: f, head_dim: d, num_attention_heads: h, num_key_value_heads: k } = config;
  const layer = 'model.layers.0.';
  return {
    'model.embed_tokens.weight': [config.vocab_size, c], 'model.norm.weight': [c],
    [`${layer}input_layernorm.weight`]: [c], [`${layer}post_attention_layernorm.weight`]: [c],
    [`${layer}self_attn.q_proj.weight`]: [h * d, c], [`${layer}self_attn.k_proj.weight`]: [k * d, c],
    [`${layer}self_attn.v_proj.weight`]: [k * d, c], [`${layer}self_attn.o_proj.weight`]: [c, h * d],
    [`${layer}self_attn.q_norm.weight`]: [d], [`${layer}self_attn.k_norm.weight`]: [d],
    [`${layer}mlp.gate_proj.weight`]: [f, c], [`${layer}mlp.up_proj.weight`]: [f, c], [`${layer}mlp.down_proj.weight`]: [c, f],
  };
}

// `data` is the folder of test data with the tokenizer and the template.
function writeQwenModel(folder, data) {
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
  fs.copyFileSync(path.join(data, 'tokenizers/qwen_like/tokenizer.json'), path.join(folder, 'tokenizer.json'));
  fs.writeFileSync(path.join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: '<|im_end|>' }));
  fs.copyFileSync(path.join(data, 'chat/qwen3.jinja'), path.join(folder, 'chat_template.jinja'));
  const header = {}, parts = [];
  let seed = 1, at = 0;
  for (const [name, shape] of Object.entries(tensors())) {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      values[i] = shape.length === 1 ? 1 : (seed / 2 ** 32 - 0.5) / 4;
    }
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + 4 * size] };
    at += 4 * size;
    parts.push(Buffer.from(values.buffer));
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  fs.writeFileSync(path.join(folder, 'model.safetensors'), Buffer.concat([length, text, ...parts]));
}

module.exports = { writeQwenModel };
