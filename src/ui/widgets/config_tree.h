// config_tree.h - an app's configuration as a tree whose leaves can be edited.
//
// Reads the response of config.get. The leaves are the nodes of `configTree` where it
// describes them (key, label, value, children), else `entries`, else the plain values of
// `configTree`; what the file has beyond the entries is shown and not edited. An edit
// goes out as config.set; what was answered stands beside the leaf.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ui/widgets/value_field.h"

namespace labdeck::ui {

class ConfigTree {
public:
    explicit ConfigTree(std::string app) : app_(std::move(app)) {}

    void draw(PanelContext& context, const Json& config, const std::string& rect);

private:
    struct Node {
        std::string label;
        std::string key;
        std::vector<Node> children;
        std::unique_ptr<ValueField> field;  ///< Of a leaf that can be edited.
        std::string fixed;                  ///< What one that cannot be edited says.
        std::string place = {};             ///< "3:12", where its value stands in the file.
        std::string fault = {};             ///< What is wrong with that value.
    };
    struct Outcome {
        bool waiting = false;
        bool error = false;
        bool fresh = false;  ///< Not yet looked at by draw().
        std::string message;
    };
    using Outcomes = std::map<std::string, Outcome, std::less<>>;

    void read(const Json& config);
    void add_unknown(const Json& tree);
    void draw_paths() const;
    Node make_node(const Json& json, const std::string& label, const std::string& path);
    Node make_leaf(const Json& value, const Json& description, const std::string& label,
                   const std::string& key);
    Json description_of(const std::string& key) const;
    void draw_faults(PanelContext& context, const std::string& rect) const;
    void draw_node(PanelContext& context, Node& node, const std::string& rect, float label_width);
    void draw_leaf(PanelContext& context, Node& node, const std::string& rect, float label_width);
    void draw_fault(PanelContext& context, const Node& node, const std::string& rect, float left) const;
    bool is_shown_beside(const Json& fault) const;
    void send(BenchState& bench, const std::string& key, const Json& value);
    static bool any_active(const std::vector<Node>& nodes);

    const std::string app_;
    Json read_;  ///< The config that the nodes were made from.
    std::vector<Node> nodes_;
    /// Answers come after a frame or after this tree is gone, hence shared.
    std::shared_ptr<Outcomes> outcomes_ = std::make_shared<Outcomes>();
};

}  // namespace labdeck::ui
