// Tensors of a safetensors file, as numbers.
import {readFileSync} from "node:fs";

const kinds = {I32: Int32Array, F32: Float32Array, F64: Float64Array};

/** {shape, values} of each tensor, by name. */
export function readTensors(path) {
  const bytes = readFileSync(path);
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, begin));
  delete header.__metadata__;
  return Object.fromEntries(Object.entries(header).map(([name, {dtype, shape, data_offsets: [from, to]}]) => {
    const copy = bytes.buffer.slice(bytes.byteOffset + begin + from, bytes.byteOffset + begin + to);
    return [name, {shape, values: new kinds[dtype](copy)}];
  }));
}
