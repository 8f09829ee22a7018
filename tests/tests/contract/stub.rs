//! Core modules that have the shape of a world and trap in every function: for plugins of other contracts.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, MemorySection,
    MemoryType, Module, TypeSection, ValType,
};
use wit_component::StringEncoding;
use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{Resolve, WorldItem};

/// A module of the world `world` in `wit`, with its `component-type` section.
pub(crate) fn module(wit: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut stub = Stub::default();
    for (key, item) in &resolve.worlds[world].imports {
        for (name, signature) in functions(&resolve, item, AbiVariant::GuestImport) {
            let module = resolve.name_world_key(key);
            stub.import(&module, &name, &signature);
        }
    }
    for (key, item) in &resolve.worlds[world].exports {
        for (name, signature) in functions(&resolve, item, AbiVariant::GuestExport) {
            let bare = matches!(item, WorldItem::Function(_));
            let name = if bare { name } else { format!("{}#{name}", resolve.name_world_key(key)) };
            stub.export(&name, &signature);
        }
    }
    let mut module = stub.finish();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

/// A module that says nothing of components.
pub(crate) fn bare_module() -> Vec<u8> {
    Stub::default().finish()
}

fn functions(resolve: &Resolve, item: &WorldItem, variant: AbiVariant) -> Vec<(String, WasmSignature)> {
    let sign = |f: &wit_parser::Function| (f.name.clone(), resolve.wasm_signature(variant, f));
    match item {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].functions.values().map(sign).collect(),
        WorldItem::Function(function) => vec![sign(function)],
        WorldItem::Type { .. } => vec![],
    }
}

#[derive(Default)]
struct Stub {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    exports: ExportSection,
    code: CodeSection,
}

impl Stub {
    fn signature(&mut self, signature: &WasmSignature) -> u32 {
        let flat = |types: &[WasmType]| types.iter().map(value_type).collect::<Vec<_>>();
        self.types.ty().function(flat(&signature.params), flat(&signature.results));
        self.types.len() - 1
    }

    fn import(&mut self, module: &str, name: &str, signature: &WasmSignature) {
        let index = self.signature(signature);
        self.imports.import(module, name, EntityType::Function(index));
    }

    fn export(&mut self, name: &str, signature: &WasmSignature) {
        let index = self.signature(signature);
        self.functions.function(index);
        self.exports.export(name, ExportKind::Func, self.imports.len() + self.functions.len() - 1);
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        self.code.function(&body);
    }

    fn finish(mut self) -> Vec<u8> {
        let i32s = |n| vec![WasmType::I32; n];
        let realloc = WasmSignature { params: i32s(4), results: i32s(1), indirect_params: false, retptr: false };
        self.export("cabi_realloc", &realloc);
        self.exports.export("memory", ExportKind::Memory, 0);
        let mut memory = MemorySection::new();
        memory.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports).section(&self.functions).section(&memory);
        module.section(&self.exports).section(&self.code);
        module.finish()
    }
}

fn value_type(of: &WasmType) -> ValType {
    match of {
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
    }
}
