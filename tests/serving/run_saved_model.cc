// Runs a SavedModel as a C++ server does: LoadSavedModel, then Session::Run.
//
//   run_saved_model MODEL FOLDER STEPS BATCH
//
// FOLDER/in.NAME holds an observation's values [STEPS, BATCH, ...] and FOLDER/in.seed
// those of the seeds [BATCH, 2]; FOLDER/out.NAME gets what each step gave. Values are
// row-major bytes; types and shapes are those of the signatures.

#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/public/session.h"

using Tensors = std::map<std::string, tensorflow::Tensor>;

// Ends the program where something is not OK.
void Check(const absl::Status& status) {
  if (!status.ok()) {
    std::cerr << status.ToString() << std::endl;
    std::exit(1);
  }
}

std::vector<char> Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A tensor of a batch, from the place in `bytes` where step `step` begins.
tensorflow::Tensor Slice(const tensorflow::TensorInfo& info, int batch,
                         const std::vector<char>& bytes, int step) {
  tensorflow::TensorShape shape({batch});
  for (int i = 1; i < info.tensor_shape().dim_size(); ++i) {
    shape.AddDim(info.tensor_shape().dim(i).size());
  }
  tensorflow::Tensor tensor(info.dtype(), shape);
  const size_t size = tensor.tensor_data().size();
  if (bytes.size() < (step + 1) * size) {
    std::cerr << "too few bytes for " << info.name() << std::endl;
    std::exit(1);
  }
  std::memcpy(const_cast<char*>(tensor.tensor_data().data()),
              bytes.data() + step * size, size);
  return tensor;
}

// The outputs of a signature by name.
Tensors Run(const tensorflow::SavedModelBundle& bundle,
            const tensorflow::SignatureDef& signature, const Tensors& inputs) {
  std::vector<std::pair<std::string, tensorflow::Tensor>> fed;
  for (const auto& [name, info] : signature.inputs()) {
    fed.emplace_back(info.name(), inputs.at(name));
  }
  std::vector<std::string> names, tensors;
  for (const auto& [name, info] : signature.outputs()) {
    names.push_back(name);
    tensors.push_back(info.name());
  }
  std::vector<tensorflow::Tensor> outputs;
  Check(bundle.GetSession()->Run(fed, tensors, {}, &outputs));
  Tensors found;
  for (size_t i = 0; i < names.size(); ++i) found[names[i]] = outputs[i];
  return found;
}

int main(int argc, char** argv) {
  const std::string model = argv[1], folder = std::string(argv[2]) + "/";
  const int steps = std::stoi(argv[3]), batch = std::stoi(argv[4]);
  tensorflow::SavedModelBundle bundle;
  Check(tensorflow::LoadSavedModel({}, {}, model,
                                   {"serve"}, &bundle));
  const auto& signatures = bundle.GetSignatures();
  const auto& begin = signatures.at("initial_state");
  const auto& step = signatures.at("step");
  Tensors seeds;
  for (const auto& [name, info] : begin.inputs()) {
    seeds[name] = Slice(info, batch, Read(folder + "in." + name), 0);
  }
  Tensors state = Run(bundle, begin, seeds);
  std::map<std::string, std::vector<char>> shown;
  for (const auto& [name, info] : step.inputs()) {
    if (!state.count(name)) shown[name] = Read(folder + "in." + name);
  }
  std::map<std::string, std::string> given;
  for (int t = 0; t < steps; ++t) {
    Tensors inputs = state;
    for (const auto& [name, bytes] : shown) {
      inputs[name] = Slice(step.inputs().at(name), batch, bytes, t);
    }
    for (const auto& [name, tensor] : Run(bundle, step, inputs)) {
      if (state.count(name)) {
        state[name] = tensor;
      } else {
        given[name].append(tensor.tensor_data().data(), tensor.tensor_data().size());
      }
    }
  }
  for (const auto& [name, bytes] : given) {
    std::ofstream(folder + "out." + name, std::ios::binary) << bytes;
  }
  return 0;
}
