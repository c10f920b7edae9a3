//! Colours and sizes.

use bevy_egui::egui::{
    self, Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, vec2,
};

/// Behind the panels; what the window is cleared to (`scene::BACKGROUND`).
pub(crate) const PANEL: Color32 = Color32::from_rgb(25, 28, 33);
/// Behind plots and text fields.
pub(crate) const WELL: Color32 = Color32::from_rgb(18, 20, 24);
/// What to press, what is chosen.
pub(crate) const ACCENT: Color32 = Color32::from_rgb(38, 147, 138);
/// Success.
pub(crate) const GOOD: Color32 = Color32::from_rgb(98, 200, 130);
/// Paused, waiting.
pub(crate) const CAUTION: Color32 = Color32::from_rgb(240, 180, 70);
/// Failed.
pub(crate) const BAD: Color32 = Color32::from_rgb(235, 100, 90);
/// Text that matters less.
pub(crate) const QUIET: Color32 = Color32::from_rgb(146, 154, 166);
/// Text that is only there not to leave a gap.
pub(crate) const FAINT: Color32 = Color32::from_rgb(84, 91, 102);
/// Text.
pub(crate) const TEXT: Color32 = Color32::from_rgb(222, 226, 232);
/// Curves, in order.
pub(crate) const CURVES: [Color32; 4] = [
    Color32::from_rgb(84, 196, 184),
    Color32::from_rgb(240, 170, 84),
    Color32::from_rgb(150, 160, 240),
    Color32::from_rgb(220, 120, 170),
];

/// Sets egui's style once.
pub(crate) fn apply(ctx: &egui::Context) {
    ctx.set_theme(egui::Theme::Dark);
    ctx.all_styles_mut(|style| {
        style.text_styles = [
            (TextStyle::Small, 11.5),
            (TextStyle::Body, 13.5),
            (TextStyle::Button, 13.5),
            (TextStyle::Heading, 19.0),
            (TextStyle::Monospace, 12.5),
        ]
        .map(|(text, size)| {
            let family = match text {
                TextStyle::Monospace => FontFamily::Monospace,
                _ => FontFamily::Proportional,
            };
            (text, FontId::new(size, family))
        })
        .into();
        style.spacing.item_spacing = vec2(7.0, 6.0);
        style.spacing.button_padding = vec2(9.0, 4.0);
        style.spacing.interact_size.y = 22.0;
        style.spacing.window_margin = Margin::same(14);
        style.interaction.selectable_labels = false;
        let visuals = &mut style.visuals;
        visuals.panel_fill = PANEL;
        visuals.window_fill = PANEL;
        visuals.extreme_bg_color = WELL;
        visuals.selection.bg_fill = ACCENT;
        visuals.selection.stroke = Stroke::new(1.0, Color32::WHITE);
        visuals.slider_trailing_fill = true;
        visuals.window_corner_radius = CornerRadius::same(8);
        let widgets = &mut visuals.widgets;
        widgets.noninteractive.bg_stroke = Stroke::new(1.0, Color32::from_rgb(44, 49, 57));
        widgets.noninteractive.fg_stroke.color = TEXT;
        widgets.inactive.weak_bg_fill = Color32::from_rgb(45, 51, 60);
        widgets.inactive.bg_fill = Color32::from_rgb(58, 65, 76);
        widgets.inactive.fg_stroke.color = TEXT;
        for widget in [
            &mut widgets.inactive,
            &mut widgets.hovered,
            &mut widgets.active,
            &mut widgets.open,
        ] {
            widget.corner_radius = CornerRadius::same(5);
        }
    });
}
